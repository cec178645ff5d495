"""Activations from models (harvest), and what is trained on and measured with them."""
