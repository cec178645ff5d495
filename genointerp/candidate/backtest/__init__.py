"""Hide a known class and see where the ranking puts its features."""
