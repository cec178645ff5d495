"""Files of weights, as safetensors and as torch saves them. Knows no model and no dictionary."""
