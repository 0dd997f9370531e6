"""Pressroom's processes for one test database: the simulator, Celery workers, beat, web and the live stream."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from django.conf import settings
from django.db import connection

from apps.jobs.models import Worker
from apps.launch.procfile import read_procfile
from apps.providers.registry import PROVIDERS
from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
QUICK = {
    "PRESSROOM_LEASE_SECONDS": "3",
    "PRESSROOM_HEARTBEAT_SECONDS": "0.5",
    "PRESSROOM_DISPATCH_SECONDS": "0.5",
    "PRESSROOM_LIVE_RECHECK_SECONDS": "1",
    "PRESSROOM_LOOKUP_GRACE_SECONDS": "1",
    "PRESSROOM_UNKNOWN_GRACE_SECONDS": "6",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: "object", *, seconds: float = 60, what: str = "") -> object:
    """Asks again until the condition holds; fails loudly when it does not in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        value = condition()  # type: ignore[operator]
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what or condition}")


class Stack:
    """Starts what it is asked for; `stop` ends every process that it started, and only those."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.simulator = SimulatorProcess().__enter__()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.web_port, self.live_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.environment = self._environment() | QUICK | environment

    def _environment(self) -> dict[str, str]:
        database = connection.settings_dict
        return {
            **os.environ,
            "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST'].replace('/', '%2F')}",
            "REDIS_URL": settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "CRON_SECRET": "cron-secret-of-the-tests",
            "SITE_URL": self.url,
            "LIVE_URL": f"http://127.0.0.1:{self.live_port}",
            "PRESSROOM_MEDIA_ROOT": str(settings.MEDIA_ROOT),
            **{provider.key_setting: "simulator" for provider in PROVIDERS.values()},
            **{provider.base_setting: self.simulator.base(provider.name) for provider in PROVIDERS.values()},
            "PRESSROOM_SIMULATED": ",".join(PROVIDERS),
            "PRESSROOM_LOG": "console",
        }

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        Worker.objects.filter(name=f"{name}@test").delete()
        self.processes[name] = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self.processes[name]

    def worker(
        self,
        name: str = "worker",
        *,
        queues: str = "prompts,images,listings,visibility",
        concurrency: int = 4,
        pool: str = "prefork",
    ) -> subprocess.Popen[bytes]:
        process = self.start(
            name,
            "celery",
            "-A",
            "config",
            "worker",
            "--queues",
            queues,
            "--concurrency",
            str(concurrency),
            "--pool",
            pool,
            "--hostname",
            f"{name}@test",
            "--without-gossip",
            "--without-mingle",
        )
        wait_until(lambda: self._shows_life(name), what=f"{name} ready, see {self.folder / name}.log")
        return process

    def clock(self) -> None:
        """The tick: a worker for the dispatch queue, and beat."""
        self.worker("clock", queues="dispatch", concurrency=1)
        self.start("beat", "celery", "-A", "config", "beat", "--pidfile=")

    def web_alone(self) -> str:
        """Pages and API, by the Procfile's own command; a stream that is there already stays."""
        self.start("web", *self._procfile()["web"])
        wait_until(self._answers, what=f"web at {self.url}, see {self.folder / 'web.log'}")
        return self.url

    def web(self) -> str:
        self.web_alone()
        self.start("live", *self._procfile()["live"])
        return self.url

    def _procfile(self) -> dict[str, tuple[str, ...]]:
        ports = {"HOST": "127.0.0.1", "PORT": str(self.web_port), "LIVE_PORT": str(self.live_port)}
        return read_procfile(ROOT / "Procfile", ports)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/live", timeout=2).ok
        except requests.RequestException:
            return False

    def _shows_life(self, name: str) -> bool:
        if self.processes[name].poll() is not None:
            raise AssertionError(f"{name} ended: {(self.folder / f'{name}.log').read_text()[-2000:]}")
        return Worker.objects.filter(name=f"{name}@test").exists()

    def said(self, name: str, words: str) -> bool:
        return words in (self.folder / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """The whole group of the process: a worker with its children."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(timeout=30)

    def stop(self) -> None:
        for name in list(self.processes):
            process = self.processes[name]
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for name in list(self.processes):
            with suppress(subprocess.TimeoutExpired):
                self.processes[name].wait(timeout=5)
            self.kill(name)
        self.simulator.__exit__(None, None, None)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Stack]:
    stack = Stack(folder, **environment)
    try:
        yield stack
    finally:
        stack.stop()
