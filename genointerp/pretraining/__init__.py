"""Pretraining of the shipped models: corpus, trainer, and baselines that a model must beat."""
