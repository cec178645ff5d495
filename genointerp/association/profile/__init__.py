"""Profiles: activations along elements, and precision along thresholds."""
