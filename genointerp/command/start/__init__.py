"""Commands that begin: the demo, a run, the models, a genome."""
