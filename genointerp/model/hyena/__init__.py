"""StripedHyena 2: the network, its state, its weights on disk, and Evo 2 by name."""
