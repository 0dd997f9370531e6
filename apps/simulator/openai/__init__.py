"""OpenAI's API: wire shapes after its OpenAPI description and its Python library, as of November 2026."""
