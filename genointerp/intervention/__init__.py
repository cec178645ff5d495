"""What the model does with a feature: interventions, each with its controls."""
