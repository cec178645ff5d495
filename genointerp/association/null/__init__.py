"""What an association reaches by chance."""
