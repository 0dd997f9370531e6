"""How a prompt is asked for, judged, and made up for when no model writes one."""
