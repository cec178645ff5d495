"""Labels, held by a language model to places of test that no labeller saw."""
