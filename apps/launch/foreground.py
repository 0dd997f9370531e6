"""Stays in the foreground until somebody says stop, and then leaves nothing behind."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from apps.launch.supervisor import Supervisor
from apps.launch.terminal import print_line


async def until_stopped(supervisor: Supervisor, start: Callable[[Supervisor], Coroutine[Any, Any, None]]) -> None:
    """Run `start`, then wait for Ctrl-C, TERM or HUP; whatever happens, stop all that was started."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            asyncio.get_running_loop().add_signal_handler(number, partial(stop_or_kill, stopping, supervisor))
    try:
        await supervisor.guard()
        await unless(stopping, start(supervisor))
        await stopping.wait()
    finally:
        print_line("Stopping...")
        await supervisor.stop()


def stop_or_kill(stopping: asyncio.Event, supervisor: Supervisor) -> None:
    """A second Ctrl-C means: now."""
    if stopping.is_set():
        supervisor.kill()
    stopping.set()


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, or leave it where it is as soon as `stopping` is set. Raises what the work raised."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    task.cancel()  # does nothing to one that is done
    with contextlib.suppress(asyncio.CancelledError):
        await task
