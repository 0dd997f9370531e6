"""The wire that OpenAI began and xAI and OpenRouter speak too: chat completions, their stream, responses, errors."""
