#!/usr/bin/env python3
"""Pressroom's command line: `manage.py up` runs everything, `manage.py help` lists the rest."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python gets a sentence, not a SyntaxError
    sys.exit("Pressroom needs Python 3.11 or later; this is %d.%d. Run it with a newer python3." % sys.version_info[:2])  # noqa: UP031


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
