"""Judges of designs that are not the model: stop codons, gene finders, signs, what is copied."""
