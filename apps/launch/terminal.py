"""What the person at the terminal is told, whatever that terminal can show."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

FIRST_WORD, NEXT_WORD = 5.0, 15.0  # seconds of waiting before it is told what for, and between two such lines


def speak_to_any_terminal() -> None:
    """What a terminal's character set cannot show is escaped, and a stream that is closed swallows what is written."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: a socket of ours must never be "stdout"
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def print_line(line: str) -> None:
    """A terminal or pipe that went away must not end the supervision."""
    try:
        print(line, flush=True)  # noqa: T201
    except OSError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


@contextmanager
def telling(what: Callable[[], str]) -> Iterator[None]:
    """While the block lasts, say what is waited for after 5 s and then every 15 s; nothing when it is shorter.

    A thread, so that it speaks although the block keeps the event loop busy.
    """
    over = Event()

    def tell() -> None:
        waited = FIRST_WORD
        while not over.wait(FIRST_WORD if waited == FIRST_WORD else NEXT_WORD):
            print_line(f"up        | {what()} ({waited:.0f} s so far)")
            waited += NEXT_WORD

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
