"""Architectures of dictionaries: one file for each, one registry."""
