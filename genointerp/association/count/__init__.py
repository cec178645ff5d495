"""Exact counts of features and labels, from which every score is computed."""
