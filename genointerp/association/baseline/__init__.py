"""Baselines: the scores that are reached without the dictionary."""
