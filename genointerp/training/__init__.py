"""Training of dictionaries, from stores of activations or straight from a model."""
