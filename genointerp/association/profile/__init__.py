"""Activations along elements, and precision along thresholds."""
