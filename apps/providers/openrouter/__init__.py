"""OpenRouter: many vendors' models behind one wire."""
