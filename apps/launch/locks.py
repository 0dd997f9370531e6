"""The two locks of a data directory. The kernel frees both on any kind of death, so neither can be stale.

`up.lock` is held by the one `up` that runs there and holds its pid for the message to a second one.
`children.lock` is inherited by everything `up` starts: while it is held, something of a run is still alive.
"""

import fcntl
import os
from pathlib import Path

from apps.launch.errors import LaunchError


def take_up_lock(data: Path) -> int:
    """Returns the descriptor that holds the lock; raises LaunchError when another `up` holds it."""
    descriptor = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not lock(descriptor, fcntl.LOCK_EX):
        pid = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
        os.close(descriptor)
        raise LaunchError(
            f"Pressroom is already running on {data} (pid {pid}). "
            "Stop it first, or choose another --data-dir and --port."
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def open_children_lock(data: Path) -> int:
    return os.open(data / "children.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def nobody_holds(descriptor: int) -> bool:
    """Whether no child of an earlier run lives; when so, the lock is ours alone until `share`."""
    return lock(descriptor, fcntl.LOCK_EX)


def share(descriptor: int) -> None:
    """From here on the lock lives as long as any process that inherits the descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
