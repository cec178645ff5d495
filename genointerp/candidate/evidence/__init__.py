"""What is measured of a feature before it is ranked."""
