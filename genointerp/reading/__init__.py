"""A model reads a genome: harvest, loss, divergence, and what a dictionary keeps of them."""
