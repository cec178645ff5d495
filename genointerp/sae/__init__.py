"""Sparse autoencoders over activations of any origin: no genome here, no files but their own."""
