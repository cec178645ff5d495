"""A model reads genomes and sequences: one engine, and harvest, loss and fidelity on it."""
