"""Runs programs for one data directory and stops every one of them, in the opposite order of their start."""

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from apps.launch.errors import LaunchError
from apps.launch.keeper import FIRST_DELAY, Keeper, spawn
from apps.launch.keeper import lines as lines_of
from apps.launch.leftovers import GRACE, MARKER, clear_leftovers, marker, record
from apps.launch.locks import nobody_holds, open_children_lock, share, take_up_lock
from apps.launch.programs import Program
from apps.launch.surroundings import for_servers
from apps.launch.terminal import print_line, telling

FAILURES_AT_START = 4
BASE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Claim:
    """The data directory is ours: nothing of an earlier run is left, and no other `up` can start on it."""

    data: Path
    run: str
    children_lock: int

    def environment(self, source: Mapping[str, str]) -> dict[str, str]:
        return {**source, MARKER: marker(self.data, run=self.run)}


@contextmanager
def claimed(data: Path) -> Iterator[Claim]:
    """Take both locks, after ending what a killed `up` left here. Raises LaunchError when either cannot be had."""
    up_lock = take_up_lock(data)
    children_lock = open_children_lock(data)
    try:
        if not clear_leftovers(data, gone=lambda: nobody_holds(children_lock)):
            raise LaunchError(
                f"Something an earlier run started on {data} is still alive and could not be ended within "
                f"{2 * GRACE:.0f} s. End it, or choose another --data-dir."
            )
        (data / "children.jsonl").unlink(missing_ok=True)
        share(children_lock)
        yield Claim(data, secrets.token_hex(8), children_lock)
    finally:
        os.close(children_lock)
        os.close(up_lock)


class Supervisor:
    """Use from the main thread: the kernel ends the children when the thread that started them ends."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.groups: list[list[Keeper]] = []
        self.guardian: asyncio.subprocess.Process | None = None
        self.watch: asyncio.Task[None] | None = None

    async def guard(self) -> None:
        """Start the guardian, which must come first: it ends the rest should we be killed. A lost one is replaced."""
        self.guardian = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "apps.launch.guardian", str(self.claim.data), self.claim.run),
            cwd=BASE,
            env=self.claim.environment(for_servers()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self.watch = asyncio.create_task(self.replace_guardian(self.guardian))

    async def replace_guardian(self, guardian: asyncio.subprocess.Process) -> None:
        await guardian.wait()
        await asyncio.sleep(FIRST_DELAY)
        await self.guard()

    async def start(self, *programs: Program) -> None:
        """Start these together; returns when all answer, raises LaunchError when one of them cannot."""
        group = [self.keeper(program) for program in programs]
        self.groups.append(group)
        await asyncio.gather(*(self.until_ready(keeper) for keeper in group))

    def keeper(self, program: Program) -> Keeper:
        return Keeper(self.ours(program), inherited=self.claim.children_lock, say=self.say, started=self.note)

    def ours(self, program: Program) -> Program:
        return replace(program, environment=self.claim.environment(program.environment))

    def note(self, pid: int) -> None:
        record(self.claim.data, pid, run=self.claim.run)

    async def until_ready(self, keeper: Keeper) -> None:
        loop, program = asyncio.get_running_loop(), keeper.program
        deadline = loop.time() + program.patience
        with telling(lambda: f"Waiting for {program.name}: {keeper.obstacle}"):
            while not keeper.ready.is_set():
                if keeper.task.done():
                    keeper.task.result()  # raises what ended it
                if keeper.failures >= FAILURES_AT_START or loop.time() > deadline:
                    said = "".join(f"\n  {line}" for line in keeper.last_lines) or " nothing."
                    raise LaunchError(f"{program.name} does not start: {keeper.obstacle}.\nThe last it said:{said}")
                await asyncio.sleep(0.02)

    async def run(self, program: Program) -> tuple[int, list[str]]:
        """Run a program to its end: its exit code, and its lines, which the caller shows if they matter."""
        process, reader, pipe = await spawn(self.ours(program), inherited=self.claim.children_lock)
        self.note(process.pid)
        try:
            with telling(lambda: f"Waiting for {program.name} to finish"):
                shown = [line async for line in lines_of(reader)]
                return await process.wait(), shown
        finally:
            pipe.close()
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def stop(self) -> None:
        """Stop the youngest group first and each group's members together; then the guardian looks once more."""
        for group in reversed(self.groups):
            await asyncio.gather(*(keeper.stop() for keeper in group))
        if self.watch:
            self.watch.cancel()
        if self.guardian and self.guardian.stdin:
            self.guardian.stdin.close()
            await self.guardian.wait()

    def kill(self) -> None:
        """For the impatient: no more grace for anybody. `stop` must be running and ends soon after."""
        for keeper in [keeper for group in self.groups for keeper in group]:
            keeper.kill()

    def say(self, name: str, line: str) -> None:
        print_line(f"{name:<9} | {line}")
