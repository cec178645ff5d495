"""Annotations of genomes: readers, concepts and the masks that concepts draw upon the bases."""
