"""Keeps one program running: starts it, waits for it, clears what it leaves, starts it again."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from apps.launch.programs import Program

FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0  # seconds before a new start
SHORT_LIFE = 10.0  # seconds; a shorter one doubles the delay
GROUP_GRACE = 1.0  # seconds for what a dead program's own children may still do
LINES_KEPT = 15  # for the words about a start that failed
LAST_WORDS = 0.5  # seconds to read what it printed before it died; a survivor may hold the pipe open for ever

Say = Callable[[str, str], None]


class Keeper:
    """`ready` is set by the first life that answers; `failures` counts the lives that ended before they did."""

    def __init__(self, program: Program, *, inherited: int, say: Say, started: Callable[[int], None]) -> None:
        self.program = program
        self.inherited = inherited
        self.say = say
        self.started = started
        self.process: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self.obstacle = "it has not begun"  # why it is not ready yet
        self.last_lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.failures = 0
        self.stopping = False
        self.task = asyncio.create_task(self.keep(), name=program.name)

    async def keep(self) -> None:
        delay = FIRST_DELAY
        while not self.stopping:
            born = time.monotonic()
            how, was_ready = await self.live()
            life = time.monotonic() - born
            if self.stopping:
                return
            if not was_ready:
                self.failures += 1
                self.program.after_failed_start()
            delay = FIRST_DELAY if life >= SHORT_LIFE else delay
            self.say("up", f"{self.program.name} {how} after {life:.0f} s; it starts again in {delay:.1f} s.")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def live(self) -> tuple[str, bool]:
        """One life: how it ended, and whether it ever answered."""
        try:
            self.program.before_start()
            self.process, reader, pipe = await spawn(self.program, inherited=self.inherited)
        except OSError as error:
            self.obstacle = f"it could not be started ({error})"
            return f"could not be started ({error})", False
        self.started(self.process.pid)
        answering = asyncio.create_task(self.until_ready())
        output = asyncio.create_task(self.repeat(reader, answering))
        code = await self.process.wait()
        was_ready = answering.done()
        answering.cancel()
        await end_group(self.process.pid)
        await asyncio.wait([output], timeout=LAST_WORDS)
        output.cancel()
        pipe.close()
        return ending(code), was_ready

    async def until_ready(self) -> None:
        pause = 0.05
        while obstacle := await asyncio.to_thread(self.program.obstacle):
            self.obstacle = obstacle
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.5)  # a page that answers with an error logs each question
        self.ready.set()

    async def repeat(self, reader: asyncio.StreamReader, answering: asyncio.Task[None]) -> None:
        held: list[str] = []
        async for line in lines(reader):
            self.last_lines.append(line)
            if self.program.quiet_start and not answering.done():
                held.append(line)
            else:
                self.say(self.program.name, line)
        if answering.cancelled() or not answering.done():
            for line in held:
                self.say(self.program.name, line)

    async def stop(self) -> None:
        """The stop signal, then KILL to the whole group after the program's grace."""
        self.stopping = True
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.program.stop_signal)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.task), self.program.grace)
            self.kill()
        else:
            self.task.cancel()  # between two lives
        await asyncio.wait([self.task])

    def kill(self) -> None:
        if self.process and self.process.returncode is None:
            signal_group(self.process.pid, signal.SIGKILL)


async def spawn(
    program: Program, *, inherited: int
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.ReadTransport]:
    """The output goes through a pipe of our own: asyncio's would keep `wait` waiting for grandchildren that hold it."""
    read, write = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *program.argv(),
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write,
            stderr=write,
            start_new_session=True,
            pass_fds=(inherited,),
        )
    finally:
        os.close(write)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb"))
    return process, reader, pipe


async def lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    rest = b""
    while chunk := await reader.read(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").rstrip()
    if rest:
        yield rest.decode(errors="replace").rstrip()


async def end_group(leader: int) -> None:
    """End what a dead leader left in its group, before another one starts beside it."""
    deadline = time.monotonic() + GROUP_GRACE
    alive = signal_group(leader, signal.SIGTERM)
    while alive and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
        alive = signal_group(leader, 0)
    signal_group(leader, signal.SIGKILL)


def signal_group(leader: int, number: int) -> bool:
    """False when the group is empty."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


def ending(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was ended by signal {signal.Signals(-code).name}"
