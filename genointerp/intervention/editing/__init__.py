"""Edits of a model for good: what is changed, how well it works, and what else it changes."""
