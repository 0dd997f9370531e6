"""Studio in the API."""
