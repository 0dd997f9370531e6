"""Product A: workspaces of rows."""
