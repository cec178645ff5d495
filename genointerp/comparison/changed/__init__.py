"""What changed in a model: features, births, weights and activations, next to a control."""
