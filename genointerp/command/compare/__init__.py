"""Commands that compare models and dictionaries."""
