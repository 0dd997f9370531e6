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
        BUILT_IN[name](data) if name in BUILT_IN else Program(name, (sys.executable, "-c", source), grace=2.0)
        for name, source in sources.items()
    ]


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
