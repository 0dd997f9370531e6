"""Users, API tokens and budgets."""
