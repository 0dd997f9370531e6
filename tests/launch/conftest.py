"""A small `up` of our own as a real process: the supervisor, the locks and the guardian, with programs of the test."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.launch.leftovers import find
from tests.support.stack import wait_until

ROOT = Path(__file__).resolve().parents[2]
SMALL_UP = Path(__file__).with_name("small_up.py")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: sockets lie in it, and a long path sends them elsewhere."""
    with tempfile.TemporaryDirectory(prefix="launch-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def eventually(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Wait for what other processes do; fails with the condition's name when it does not come true."""
    wait_until(condition, seconds=seconds, what=str(condition))


class Up:
    """A running launcher. Its lines go to a file, so that nothing it starts can be held up by a full pipe."""

    def __init__(self, command: list[str], *, data: Path, log: Path, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, pattern: str, *, seconds: float = 30.0) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output)):
            ended = self.process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"no {pattern!r} in:\n{self.output[-4000:]}"
            time.sleep(0.02)
        return found

    def children(self) -> list[int]:
        return find(self.data)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def small_up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start a small `up` with programs given as name → Python source; ended at the end of the test."""
    started: list[Up] = []

    def start(*, data: Path = tmp_path / "data", **programs: str) -> Up:
        command = [sys.executable, str(SMALL_UP), str(data), json.dumps(programs)]
        log = tmp_path / f"up-{len(started)}.log"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        started.append(Up(command, data=data, log=log, environment=environment))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.stop()
