"""Nulls: the scores that an association reaches by chance."""
