"""Genomes, intervals and windows. All coordinates 0-based, half-open, forward strand, bp."""
