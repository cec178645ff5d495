"""Commands that build: annotation, activations, dictionaries, features."""
