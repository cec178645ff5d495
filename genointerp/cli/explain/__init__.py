"""Commands that explain what a model predicts."""
