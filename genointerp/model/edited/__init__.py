"""Models whose weights or activations were edited for good, as folders that load as any model."""
