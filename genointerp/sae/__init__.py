"""Sparse autoencoders over activations of any origin. Knows no genome and no file but its own."""
