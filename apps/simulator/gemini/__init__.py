"""Gemini's Developer API: wire shapes after Google's description and its Python library, as of November 2026."""
