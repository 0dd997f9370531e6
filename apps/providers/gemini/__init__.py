"""Google's Gemini, by the Developer API."""
