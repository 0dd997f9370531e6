#!/usr/bin/env python3
"""Pressroom's command line: `manage.py up` runs everything, `manage.py help` lists the rest."""

import locale
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python gets a sentence, not a SyntaxError
    sys.exit("Pressroom needs Python 3.11 or later; this is %d.%d. Run it with a newer python3." % sys.version_info[:2])  # noqa: UP031


def main() -> None:
    read_names_as_utf8()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from apps.launch.surroundings import forget_other_projects
    from apps.launch.terminal import speak_to_any_terminal

    forget_other_projects()
    speak_to_any_terminal()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"  # the shell's may be of another project
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Error: {error}")


def read_names_as_utf8() -> None:
    """Under an ASCII or Latin-1 locale Python could name no file with an umlaut. Start again, as the same process, in
    UTF-8 mode; only what is printed stays in the terminal's own character set."""
    if sys.getfilesystemencoding() != "utf-8":
        os.environ.setdefault("PYTHONIOENCODING", locale.getencoding())
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
