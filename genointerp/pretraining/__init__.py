"""Training of the shipped models: corpus, trainer, and the baselines that a model must beat."""
