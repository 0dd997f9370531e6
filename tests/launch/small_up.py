"""`python small_up.py DATA PROGRAMS`: what `manage.py up` does, with the programs of a test (JSON, name → source)."""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from apps.launch.errors import LaunchError
from apps.launch.foreground import until_stopped
from apps.launch.postgres import postgres_program
from apps.launch.programs import Program
from apps.launch.redis import redis_program
from apps.launch.supervisor import Supervisor, claimed

BUILT_IN = {"postgres": postgres_program, "redis": redis_program}


def programs(data: Path, sources: dict[str, str]) -> list[Program]:
    return [
        BUILT_IN[name](data) if name in BUILT_IN else of_the_test(name, (sys.executable, "-c", source))
        for name, source in sources.items()
    ]


def of_the_test(name: str, command: tuple[str, ...]) -> Program:
    """One called `silent` never answers; one called `unhurried` has an hour of grace."""
    if name == "silent":
        return Program(name, command, grace=2.0, obstacle=lambda: "it keeps silent", patience=6.0, quiet_start=True)
    return Program(name, command, grace=3600.0 if name == "unhurried" else 2.0)


async def start(wanted: list[Program], supervisor: Supervisor) -> None:
    await supervisor.start(*wanted)
    print("ready", flush=True)


def main() -> None:
    data = Path(sys.argv[1])
    data.mkdir(parents=True, exist_ok=True)
    with claimed(data) as claim:
        wanted = programs(data, json.loads(sys.argv[2]))
        asyncio.run(until_stopped(Supervisor(claim), partial(start, wanted)))


if __name__ == "__main__":
    try:
        main()
    except LaunchError as error:
        sys.exit(str(error))
