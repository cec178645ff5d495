"""Networks of the transformers library as models of this package."""
