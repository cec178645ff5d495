"""What is reached without the dictionary, for comparison with its features."""
