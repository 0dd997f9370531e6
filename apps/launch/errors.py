"""What stops a launch: one exception whose text says what happened and what to do."""


class LaunchError(Exception):
    """Raised with a sentence for the person at the terminal; `manage.py up` prints it and exits with 1."""
