"""OpenRouter's API: wire shapes after its documentation, as of November 2026."""
