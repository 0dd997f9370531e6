"""Directories for unix sockets: private, and short enough for the kernel."""

import os
import shutil
import tempfile
from pathlib import Path

from apps.launch.errors import LaunchError
from apps.launch.programs import User

POSTGRES_SOCKET, REDIS_SOCKET = "postgres-socket", "redis-socket"
LONGEST = 85  # bytes of a directory; 94 failed on Linux with PostgreSQL's socket name, macOS allows about 4 fewer


def socket_directory(preferred: Path, *, user: User | None = None) -> Path:
    """`preferred`, or a new private directory elsewhere when its path does not suit; 0700 and owned by `user`.

    The place chosen elsewhere is remembered beside `preferred`, so that the next start can remove it.
    """
    note = preferred.with_name(preferred.name + ".elsewhere")
    remove_socket_directory(preferred)
    if not suits(str(preferred)):
        note.parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix="pressroom-", dir=place_elsewhere()))
        note.write_text(str(directory))
    else:
        directory = preferred
    own_private_directory(directory, user=user)
    return directory


def suits(path: str) -> bool:
    """The kernel has its limit, and a client under an ASCII locale could not name a path with an umlaut."""
    return path.isascii() and len(path) <= LONGEST


def place_elsewhere() -> str:
    """TMPDIR may itself be too long, or gone."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 - a private one is made in it
        if suits(f"{place}/pressroom-12345678") and os.access(place, os.W_OK | os.X_OK):
            return place
    raise LaunchError("No place for sockets: the data directory's path is too long, and so is TMPDIR. Shorten either.")


def remove_socket_directory(preferred: Path) -> None:
    """Remove the directory elsewhere that a start before this one made, if there is one and it is still ours."""
    note = preferred.with_name(preferred.name + ".elsewhere")
    if note.exists():
        directory = Path(note.read_text())
        if directory.name.startswith("pressroom-") and not directory.is_symlink():
            shutil.rmtree(directory, ignore_errors=True)
        note.unlink()


def remove_sockets_elsewhere(data: Path) -> None:
    for name in (POSTGRES_SOCKET, REDIS_SOCKET):
        remove_socket_directory(data / name)


def own_private_directory(directory: Path, *, user: User | None = None) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    if user:
        os.chown(directory, user.uid, user.gid)
