"""What can be run and kept running: a server or a line of the Procfile, described as a value."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.launch.surroundings import for_processes

CHILD = Path(__file__).with_name("child.py")


def nothing() -> None:
    pass


def at_once() -> str:
    """For a program that nobody can ask whether it answers."""
    return ""


@dataclass(frozen=True)
class User:
    """Who a program runs as; None in its place means: as we are."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """One program. `obstacle` is asked until it has no words left for why the program does not answer yet, for up to
    `patience` seconds; `grace` is the seconds between `stop_signal` and KILL.

    `before_start` runs before every start, `after_failed_start` when a life ended before it was ready. With
    `quiet_start`, what it says before it is ready is shown only if it never gets there.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=for_processes)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 5.0
    user: User | None = None
    directory: Path = Path("/")
    obstacle: Callable[[], str] = at_once
    patience: float = 60.0
    before_start: Callable[[], None] = nothing
    after_failed_start: Callable[[], None] = nothing
    quiet_start: bool = False

    def argv(self) -> list[str]:
        """The command line whose process dies with the one that starts it; start it from the main thread."""
        return guarded(self.command, stop_signal=self.stop_signal, user=self.user, directory=self.directory)


def guarded(
    command: tuple[str, ...], *, stop_signal: int, user: User | None = None, directory: Path, nameless: bool = False
) -> list[str]:
    """`nameless`: this account has no name on this machine, and the program wants one (see child.py)."""
    account = f"{user.uid}:{user.gid}" if user else "nameless" if nameless else "-"
    starter = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), str(int(stop_signal))]
    return [*starter, account, str(directory), *command]
