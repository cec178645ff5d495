"""Figures from files, and the one self-contained HTML page of a run."""
