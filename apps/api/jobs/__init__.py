"""Jobs, their calls and what keeps them going, in the API."""
