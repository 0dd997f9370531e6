"""WaveSpeed's prediction API: wire shapes after wavespeed.ai/docs, as of November 2026."""
