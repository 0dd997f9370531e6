"""OpenAI: chat completions, responses."""
