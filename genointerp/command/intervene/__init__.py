"""Commands that intervene in the model."""
