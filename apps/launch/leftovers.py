"""Finds and ends what a killed `up` left behind, and never anything else.

A process is ours when its environment holds our marker with this data directory: a pid may have been given to a
stranger, and a command line may look alike. Without /proc (macOS) the pid, start time and process group that were
written down when it was started must all still agree.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

MARKER = "PRESSROOM_UP"
PROC = Path("/proc")
GRACE = 6.0  # seconds between TERM and KILL


def marker(data: Path, *, run: str) -> str:
    return f"{run}:{data}"


def clear_leftovers(data: Path, *, run: str | None = None, gone: Callable[[], bool] = lambda: True) -> bool:
    """End every process of any run on `data`, or of that one `run`; True when none is left and `gone` agrees."""
    started = time.monotonic()
    number = signal.SIGTERM
    while (left := find(data, run=run)) or not gone():
        waited = time.monotonic() - started
        if waited > 2 * GRACE:
            return False
        if waited > GRACE:
            number = signal.SIGKILL
        for pid in left:
            end(pid, number, still_ours=partial(find, data, run=run, among=[pid]))
        time.sleep(0.1 if number == signal.SIGKILL else 0.25)
    return True


def find(data: Path, *, run: str | None = None, among: list[int] | None = None) -> list[int]:
    look = marked if (PROC / "self" / "environ").exists() else recorded
    return [pid for pid in look(data, run=run, among=among) if pid != os.getpid()]


def marked(data: Path, *, run: str | None, among: list[int] | None) -> list[int]:
    pids = among if among is not None else [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if belongs(pid, data, run=run)]


def belongs(pid: int, data: Path, *, run: str | None) -> bool:
    try:
        environment = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False  # gone, or somebody else's
    start = f"{MARKER}=".encode()
    value = next((os.fsdecode(item[len(start) :]) for item in environment if item.startswith(start)), "")
    its_run, _, its_data = value.partition(":")
    return its_data == str(data) and run in (None, its_run)


def running_on(checkout: Path) -> set[Path]:
    """The data directories of all that was started from `checkout` by this account and lives; empty without /proc."""
    found = set()
    for entry in PROC.glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            home = Path(os.readlink(entry / "cwd"))
        except OSError:
            continue  # gone, or somebody else's
        marks = [item for item in environment if item.startswith(f"{MARKER}=".encode())]
        if marks and home == checkout:
            found.add(Path(os.fsdecode(marks[0]).partition(":")[2]))
    return found


def end(pid: int, number: int, *, still_ours: Callable[[], object]) -> None:
    """Signal `pid`, held by a descriptor where the system has them, so that a reused pid cannot be hit.

    Elsewhere the whole group: only its leader was written down.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            os.killpg(pid, number)
            return
        descriptor = os.pidfd_open(pid)
        try:
            if still_ours():
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def record(data: Path, pid: int, *, run: str) -> None:
    """Note a child for `recorded`; does nothing where /proc makes that needless."""
    if (PROC / "self" / "environ").exists():
        return
    with (data / "children.jsonl").open("a") as notes:
        notes.write(json.dumps({"run": run, "pid": pid, "started": start_time(pid)}) + "\n")


def recorded(data: Path, *, run: str | None, among: list[int] | None) -> list[int]:
    path = data / "children.jsonl"
    notes = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [
        note["pid"]
        for note in notes
        if run in (None, note["run"])
        and (among is None or note["pid"] in among)
        and note["started"]
        and start_time(note["pid"]) == note["started"]
    ]


def start_time(pid: int) -> str:
    """Process group and start time as `ps` tells them; empty when there is no such process."""
    shown = subprocess.run(["ps", "-o", "pgid=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return " ".join(shown.stdout.split())
