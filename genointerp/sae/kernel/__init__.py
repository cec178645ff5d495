"""Sparse algebra of a training step, on a CPU and on a GPU."""
