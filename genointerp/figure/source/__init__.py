"""What figures are drawn from: annotations and activations as tables, and new measurements."""
