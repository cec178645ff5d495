"""HDF5 and table schemas, their readers and writers. Torch-free."""
