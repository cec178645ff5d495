"""What differs between models, and what they share."""
