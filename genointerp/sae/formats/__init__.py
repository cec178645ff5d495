"""Read and write dictionaries of other libraries: one file for each library, and a registry."""
