"""xAI's chat API: wire shapes after docs.x.ai, as of November 2026."""
