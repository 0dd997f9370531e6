"""`manage.py verify`: does this deployment work? What is up, then one small job of each kind."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import Problem
from apps.desk import vitals
from apps.providers.registry import PROVIDERS
from apps.studio.verification import ASKED, prove, quote

START_SECONDS = 20.0
ADVICE = "Correct what it names and run this again; with --traceback it says where it happened."


class Command(BaseCommand):
    help = "Check database, Redis, workers, beat, storage and keys, then run one small job of each kind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--real", action="store_true", help="run the jobs at the real providers; the quote is shown first"
        )
        parser.add_argument("--seconds", type=float, default=120, help="how long a job may take (default: 120)")

    def handle(self, *, real: bool, seconds: float, **_options: Any) -> None:
        try:
            self._verify(real=real, seconds=seconds)
        except CommandError:
            raise
        except Problem as problem:
            self._tell("verify", False, problem.detail, problem.action)
            raise CommandError("A job could not be queued.") from problem
        except Exception as error:  # an operator is told what to do whatever it is
            self._tell("verify", False, f"{type(error).__name__}: {str(error).strip() or 'no more is known'}", ADVICE)
            raise CommandError("The check could not go on.") from error

    def _verify(self, *, real: bool, seconds: float) -> None:
        good = [self._tell(check.name, check.ok, check.detail, check.action) for check in _when_settled()]
        if not all(good):
            raise CommandError("Not everything is up; no job was run.")
        if not self._may_run(real):
            return
        good = [self._tell(proof.name, proof.ok, proof.detail, proof.action) for proof in prove(seconds=seconds)]
        if not all(good):
            raise CommandError("A job did not work.")
        self.stdout.write("Everything works.")

    def _may_run(self, real: bool) -> bool:
        paid = [PROVIDERS[name].title for name in ASKED if not PROVIDERS[name].simulated]
        if not paid:
            return True
        price = quote()
        words = f"about ${price:.4f}" if price is not None else "a price that could not be had"
        self.stdout.write(f"A prompt and an image at {' and '.join(paid)} cost {words}.")
        if not real:
            self.stdout.write("Nothing was run. Add --real to run and pay for them.")
        return real

    def _tell(self, name: str, ok: bool, detail: str, action: str) -> bool:
        self.stdout.write(
            f"{'ok  ' if ok else 'FAIL'}  {name:<9} {detail}" + (f"  → {action}" if action and not ok else "")
        )
        return ok


def _when_settled() -> list[vitals.Vital]:
    """What is up; right after a start, workers and beat are given a moment to show themselves."""
    ends = time.monotonic() + START_SECONDS
    checks = vitals.look()
    while not all(check.ok for check in checks) and time.monotonic() < ends:
        time.sleep(1)
        checks = vitals.look()
    return checks
