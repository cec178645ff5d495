"""Schemas of HDF5 files and of tables, with their readers and writers; torch is not needed."""
