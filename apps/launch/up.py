"""The whole start, in order: claim the data directory, servers, migrations, demo, simulator, the Procfile, `ready`."""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from apps.launch.environment import child_environment, leave_for_commands, without_key
from apps.launch.errors import LaunchError
from apps.launch.foreground import until_stopped
from apps.launch.ports import Address, check_free, why_no_page, why_silent
from apps.launch.postgres import create_database, database_url, postgres_program
from apps.launch.procfile import read_procfile
from apps.launch.programs import Program, at_once
from apps.launch.redis import redis_program, redis_url
from apps.launch.supervisor import BASE, Supervisor, claimed
from apps.launch.terminal import print_line, telling

APP_GRACE = 10.0  # seconds for a worker to finish, or give back, what it does
OUR_FILES = {"up.lock", "secret-key", "environment.json"}  # a data directory in use holds one of them
NO_ADMINISTRATOR = (
    "  nobody may use /admin yet: make an administrator with `manage.py createsuperuser` in another terminal"
)
OPEN_FILES = 65_536  # one for each live stream; the usual 1,024 is too few for it


@dataclass(frozen=True)
class Request:
    """What the person at the terminal asked for."""

    data: Path
    address: Address
    demo: bool = True


def up(request: Request) -> None:
    """Run until Ctrl-C, TERM or HUP; raises LaunchError when it cannot start."""
    os.umask(0o077)  # what is made from here on, by any process, is for this account alone
    make_data_directory(request.data)
    raise_open_files()
    with claimed(request.data) as claim:  # first: a second `up` should hear of the first, not of its ports
        check_free(request.address, simulator=bool(without_key(os.environ)))
        asyncio.run(until_stopped(Supervisor(claim), partial(start, request)))


async def start(request: Request, supervisor: Supervisor) -> None:
    environment = await start_servers(request, supervisor)
    leave_for_commands(request.data, environment)
    await migrate(supervisor, environment)
    demo = make_demo(supervisor, environment) if request.demo else nothing_to_say()
    programs = applications(request.address, environment)
    # What can be asked whether it answers comes first: all at once would share the processor and delay the page.
    serving = [program for program in programs if program.obstacle is not at_once]
    sign_in, _ = await asyncio.gather(demo, supervisor.start(*serving))
    await supervisor.start(*(program for program in programs if program not in serving))
    print_line(f"ready {environment['SITE_URL']}{sign_in}")


async def start_servers(request: Request, supervisor: Supervisor) -> dict[str, str]:
    """Start the servers whose addresses are not given; the environment that leads everything else to them."""
    given = dict(os.environ)
    with telling(lambda: "Waiting for PostgreSQL's files to be made"):
        postgres = None if given.get("DATABASE_URL", "").strip() else postgres_program(request.data)
    redis = None if given.get("REDIS_URL", "").strip() else redis_program(request.data)
    await supervisor.start(*(program for program in (postgres, redis) if program))
    if postgres:
        create_database(postgres)
    return child_environment(
        given,
        data=request.data,
        address=request.address,
        database_url=database_url(postgres) if postgres else "",
        redis_url=redis_url(redis) if redis else "",
    )


async def migrate(supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    code, shown = await supervisor.run(
        manage("migrate", "--no-input", "--skip-checks", "--verbosity", "0", environment=environment)
    )
    if code:
        show(supervisor, "migrate", shown)
        raise LaunchError("The database could not be brought up to date; the lines above say why.")


async def nothing_to_say() -> str:
    return ""


async def make_demo(supervisor: Supervisor, environment: Mapping[str, str]) -> str:
    """The words that tell how to sign in; a demo that fails is shown and does not keep the rest from starting."""
    code, shown = await supervisor.run(manage("demo", "--skip-checks", environment=environment))
    try:
        made = json.loads(shown[-1]) if code == 0 else {}
        first = "" if made["administrator"] else f"\n{NO_ADMINISTRATOR}"
        return f"  sign in as {made['username']} / {made['password']}{first}"
    except (ValueError, KeyError, IndexError):
        show(supervisor, "demo", [*shown, "The demo could not be made; Pressroom starts without it."])
        return ""


def show(supervisor: Supervisor, name: str, shown: list[str]) -> None:
    for line in shown:
        supervisor.say(name, line)


def manage(*arguments: str, environment: Mapping[str, str]) -> Program:
    command = (sys.executable, str(BASE / "manage.py"), *arguments)
    return Program(name=arguments[0], command=command, environment=environment, directory=BASE)


def applications(address: Address, environment: Mapping[str, str]) -> list[Program]:
    site = urlsplit(environment["SITE_URL"]).netloc
    obstacles = {
        "web": partial(why_no_page, address.local_host, address.port, "/signin", name=site),
        "live": partial(why_silent, address.local_host, address.live_port),
        "simulator": partial(why_silent, "127.0.0.1", address.simulator_port),
    }
    commands = read_procfile(BASE / "Procfile", environment)
    if environment.get("PRESSROOM_SIMULATED"):
        kept = str(Path(environment["PRESSROOM_DATA_DIR"]) / "simulator")
        port = str(address.simulator_port)
        commands["simulator"] = (sys.executable, "-m", "apps.simulator", "--port", port, "--data-dir", kept)
    return [
        Program(
            name=name,
            command=command,
            environment=environment,
            grace=APP_GRACE,
            directory=BASE,
            obstacle=obstacles.get(name, at_once),
        )
        for name, command in commands.items()
    ]


def make_data_directory(data: Path) -> None:
    """Pictures and secrets will lie here, so nobody else may enter it. One that others may enter is closed, but not
    before it is certain that it is ours alone: closing /tmp or somebody's home would break what is not ours."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
            raise LaunchError(f"{data} belongs to somebody else. Choose another --data-dir, or run as its owner.")
        names = {path.name for path in data.iterdir()}
        if data.stat().st_mode & 0o077:
            if names and not names & OUR_FILES:
                raise LaunchError(
                    f"{data} holds files that are not Pressroom's, and others may enter it. "
                    "Choose a --data-dir that is new or empty."
                )
            data.chmod(0o700)
        if data.stat().st_mode & 0o077:
            raise LaunchError(f"{data} cannot be closed to others: its file system keeps no permissions.")
    except OSError as error:
        raise LaunchError(
            f"{data} cannot be used for the data: {error.strerror}. Choose another --data-dir."
        ) from error


def raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
