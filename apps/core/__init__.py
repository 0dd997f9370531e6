"""What every room may use: errors, checks, logging context."""
