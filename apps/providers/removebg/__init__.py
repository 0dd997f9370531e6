"""remove.bg: a product cut out of its photograph."""
