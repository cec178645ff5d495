"""Annotations of genomes: readers, concepts and the bases that each concept covers."""
