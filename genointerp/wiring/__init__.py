"""Features that work together: co-activation by lag, edges in the model, and their tests."""
