"""Thousands of jobs while everything is killed: prints what came of it, and ends with 1 when an invariant breaks.

    python -m tests.faults.soak --jobs 10000 --worker-kills 50 --redis-kills 5 --postgres-restarts 3 --pauses 10

Runs PostgreSQL, Redis, the simulator, two workers, the clock and beat of its own in a temporary directory.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.launch.testing import EmbeddedServers, embedded_servers

TIMES = {
    "PRESSROOM_LEASE_SECONDS": "6",
    "PRESSROOM_HEARTBEAT_SECONDS": "1.5",
    "PRESSROOM_DISPATCH_SECONDS": "1",
    "PRESSROOM_RECONCILE_SECONDS": "1",
    "PRESSROOM_LOOKUP_GRACE_SECONDS": "8",
    "PRESSROOM_UNKNOWN_GRACE_SECONDS": "60",
    "PRESSROOM_PROMPTS_CONCURRENCY": "8",
    "PRESSROOM_IMAGES_CONCURRENCY": "40",
    "PRESSROOM_PROMPT_MODELS": "grok-4.3,grok-4.20-non-reasoning:error|too_long",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000, help="0: only --operations")
    parser.add_argument(
        "--worker-kills", type=int, default=50, help="every other one takes a whole worker, not a child"
    )
    parser.add_argument("--redis-kills", type=int, default=5, help="restarted empty")
    parser.add_argument("--postgres-restarts", type=int, default=3, help="killed, then started again")
    parser.add_argument("--pauses", type=int, default=10, help="a child stopped for longer than its lease")
    parser.add_argument("--clock-kills", type=int, default=3, help="beat, or the worker of the tick")
    parser.add_argument("--strangers", type=int, default=0, help="so many slow connections to web, held all the while")
    parser.add_argument("--minutes", type=float, default=60, help="the longest it may take")
    parser.add_argument("--latency-scale", type=float, default=0.1, help="of the simulated providers; 1 is life-like")
    parser.add_argument("--provider-clock", type=float, default=0, help="seconds the providers' clock is ahead of ours")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--operations", type=int, default=0, help="then so many random operations on the lifecycle")
    parser.add_argument("--keep", type=Path, help="keep everything in this directory")
    return parser.parse_args()


@contextmanager
def ground(directory: Path) -> Iterator[EmbeddedServers]:
    """Servers, and Django on them."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    with embedded_servers(directory) as servers:
        os.environ |= TIMES | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "PRESSROOM_DATA_DIR": str(directory / "data"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PRESSROOM_SIMULATED": "xai,wavespeed",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield servers


def operate(steps: int) -> int:
    """F40 and F30 at length, on the same database once it is quiet. Raises at the first broken rule."""
    if steps:
        os.environ |= {"PRESSROOM_MODEL_STEPS": "100", "PRESSROOM_MODEL_EXAMPLES": str(steps // 100)}
        from tests.faults import at_length

        at_length.run()
    return 0


def main() -> int:
    asked = arguments()
    random.seed(asked.seed)
    with tempfile.TemporaryDirectory(prefix="pressroom-soak-") as temporary:
        directory = asked.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        with ground(directory) as servers:
            if not asked.jobs:
                return operate(asked.operations)
            from tests.faults.soaking import Soak

            begun = time.monotonic()
            soak = Soak(asked, servers, directory)
            try:
                soak.run()
                outcome = soak.report(seconds=time.monotonic() - begun)
            finally:
                soak.stack.stop()
            return outcome or operate(asked.operations)


if __name__ == "__main__":
    sys.exit(main())
