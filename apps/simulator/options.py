"""What the simulator can be told when it starts; shared by `manage.py simulator` and `python -m apps.simulator`."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Options:
    """`latency_scale` multiplies every provider's latency (0 = answer at once); `seed` fixes what is random.

    With `data_dir`, uploads and predictions outlive the process as they would at the provider; else they are in memory.
    """

    host: str = "127.0.0.1"
    port: int = 8190
    latency_scale: float = 1.0
    seed: int = 0
    public_url: str = ""
    ledger_file: Path | None = None
    data_dir: Path | None = None
    accept_keys: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8190, help="0 picks a free port")
    parser.add_argument("--latency-scale", type=float, default=1.0, help="1 = like the real providers, 0 = at once")
    parser.add_argument("--seed", type=int, default=0, help="varies answers, pictures and latencies")
    parser.add_argument("--public-url", default="", help="the address replies name, when it is not http://host:port")
    parser.add_argument("--ledger-file", type=Path, help="append every purchase to this file, one JSON line each")
    parser.add_argument(
        "--data-dir", type=Path, help="keep uploads and predictions here, so that a restart forgets none"
    )
    parser.add_argument("--accept-key", action="append", default=[], help="also accept this provider key")


def from_namespace(values: dict[str, Any]) -> Options:
    """Raises nothing: argparse has checked the values; keys that are not ours (Django's own) are left out."""
    return Options(
        host=values["host"],
        port=values["port"],
        latency_scale=values["latency_scale"],
        seed=values["seed"],
        public_url=values["public_url"].rstrip("/"),
        ledger_file=values["ledger_file"],
        data_dir=values["data_dir"],
        accept_keys=tuple(values["accept_key"]),
    )
