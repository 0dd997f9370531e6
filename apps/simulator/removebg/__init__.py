"""remove.bg's API: wire shapes after its OpenAPI description and recorded answers, as of November 2026."""
