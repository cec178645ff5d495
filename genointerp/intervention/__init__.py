"""Interventions, each with its controls, that show whether a model uses a feature."""
