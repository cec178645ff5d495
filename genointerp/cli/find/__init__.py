"""Commands that find: associations, candidates and their tests."""
