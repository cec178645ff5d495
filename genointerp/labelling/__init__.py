"""Labels: what a feature is said to be, by statistics, a language model or a person."""
