"""From bases to tokens and back; every token knows the bases that it covers."""
