"""Evidence that is measured for each feature before it is ranked."""
