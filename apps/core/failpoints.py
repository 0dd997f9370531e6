"""Places where a process can be made to die, stop, hang or fail: for fault tests, and nothing at all without its setting.

    PRESSROOM_FAILPOINTS="after_submit=kill, before_submit=hang:30, after_fetch=error:2"
    PRESSROOM_FAILPOINTS="@/a/file"      the same text, read at each failpoint, so that a test can change it

Actions: `kill` (this process, SIGKILL), `kill_group` (the worker with all its children), `stop` (SIGSTOP), `error`
(raises FailpointError), each with how often, once by default; `hang:seconds[:times]`. "Once" holds over all processes:
each use takes a file of its own, which names the process, in PRESSROOM_FAILPOINTS_DIR. `after_submit@<job's uid>=kill` means this job only.
"""

import os
import signal
import tempfile
import time
from pathlib import Path

import structlog

_GIVEN = os.environ.get("PRESSROOM_FAILPOINTS", "").strip()


class FailpointError(RuntimeError):
    """What an armed failpoint raises."""


def armed() -> bool:
    return bool(_GIVEN)


def failpoint(name: str) -> None:
    if _GIVEN:
        _reached(name)


def directory() -> Path:
    return Path(os.environ.get("PRESSROOM_FAILPOINTS_DIR") or tempfile.gettempdir())


def _reached(name: str) -> None:
    here = {name, f"{name}@{structlog.contextvars.get_contextvars().get('job', '')}"}
    for entry in _plan().split(","):
        place, _, action = entry.strip().partition("=")
        if place in here:
            _act(place, *action.split(":"))


def _plan() -> str:
    if not _GIVEN.startswith("@"):
        return _GIVEN
    file = Path(_GIVEN[1:])
    return file.read_text() if file.exists() else ""


def _act(place: str, action: str, *arguments: str) -> None:
    seconds, *times = arguments if action == "hang" else ("0", *arguments)
    if not _take_one(place, int(times[0]) if times else 1):
        return
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "kill_group":
            os.killpg(0, signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "hang":
            time.sleep(float(seconds))
        case "error":
            raise FailpointError(f"The failpoint {place} is armed.")


def _take_one(place: str, times: int) -> bool:
    for number in range(times):
        try:
            with (directory() / f"failpoint.{place}.{number}").open("x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            continue
        return True
    return False
