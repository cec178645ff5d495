"""Match the features of two dictionaries on the same bases, next to four nulls."""
