"""Studio's pages."""
