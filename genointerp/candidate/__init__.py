"""Features that no known concept explains, with the evidence for and against. Torch-free."""
