"""Dictionaries of other libraries, read and written: one file a library, one registry."""
