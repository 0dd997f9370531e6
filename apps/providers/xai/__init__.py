"""xAI: Grok answers with text. Wire facts: docs.x.ai, chat completions."""
