"""Read genomes and sequences with a model: one engine, with harvest, loss and fidelity on top."""
