"""Reads the Procfile: a name, a colon, and a command whose `$NAMES` come from the environment."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from apps.launch.errors import LaunchError

LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")
VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def read_procfile(path: Path, environment: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Name → command, in the file's order. No shell is involved, so a child's pid is the program's own."""
    found = [LINE.match(line) for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    if not all(found):
        raise LaunchError(f"{path} has a line that is not `name: command`.")
    return {match[1]: tuple(expand(word, environment) for word in shlex.split(match[2])) for match in found if match}


def expand(word: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1].strip("{}")
        if name not in environment:
            raise LaunchError(f"The Procfile names ${name}, which is not set.")
        return environment[name]

    return VARIABLE.sub(value, word)
