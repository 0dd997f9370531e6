"""PostgreSQL and Redis for a test run: own processes in a directory of its own, gone with the process that asked."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.launch.errors import LaunchError
from apps.launch.postgres import create_database, database_url, postgres_program
from apps.launch.programs import Program
from apps.launch.redis import redis_program, redis_url
from apps.launch.sockets import remove_sockets_elsewhere

SECONDS_TO_START = 30.0


class Running:
    """A server that a test can stop, kill and start again."""

    def __init__(self, program: Program, *, log: Path) -> None:
        self.program = program
        self.log = log
        self.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        """Returns when it answers; raises LaunchError with its last words when it ends or takes too long."""
        self.program.before_start()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.program.argv(),
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while self.program.obstacle():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise LaunchError(f"{self.program.name} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)
            try:
                self.process.wait(self.program.grace)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class EmbeddedServers:
    database_url: str
    redis_url: str
    postgres: Running
    redis: Running


@contextmanager
def embedded_servers(directory: Path, *, fsync: bool = False) -> Iterator[EmbeddedServers]:
    """Run both servers with their files in `directory`; call it from the main thread, whose end they do not survive."""
    with ExitStack() as stack:
        stack.callback(remove_sockets_elsewhere, directory)
        postgres = Running(postgres_program(directory, fsync=fsync), log=directory / "postgres.log")
        stack.callback(postgres.stop)
        create_database(postgres.program)
        redis = Running(redis_program(directory), log=directory / "redis.log")
        stack.callback(redis.stop)
        yield EmbeddedServers(database_url(postgres.program), redis_url(redis.program), postgres, redis)
