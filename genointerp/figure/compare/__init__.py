"""Figures of comparisons of models and dictionaries, one module each."""
