"""How well features tell concepts: exact counts, scores and significance. Torch-free."""
