"""Exact counts of features and labels of bases: what every score is made from."""
