"""Errors, configuration, seeds, provenance, progress and atomic files. Imports nothing of ours."""
