"""Tokenizers: from bases to tokens and back; the span of bases of every token is known."""
