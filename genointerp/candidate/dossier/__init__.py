"""Dossiers: all that is known about a candidate on one page."""
