"""Any server of language models that speaks OpenAI's chat completions, and what it was paid for."""
