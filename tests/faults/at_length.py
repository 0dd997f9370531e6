"""The model-based test and the races, for as long as they are told: see soak.py --operations."""

import time

from django.core.management import call_command

from apps.jobs import lanes
from apps.jobs.models import Lane
from tests.faults import scene, test_model, test_races

INTERLEAVINGS = 2000


def run() -> None:
    """On an empty database. Prints what was done; raises when a rule breaks."""
    call_command("flush", interactive=False, verbosity=0)
    begun = time.monotonic()
    test_model.test_no_order_of_operations_breaks_an_invariant()
    steps = test_model.STEPS * test_model.EXAMPLES
    print(f"{steps:,} random operations on the lifecycle in {time.monotonic() - begun:.0f} s: no rule broken.")
    call_command("flush", interactive=False, verbosity=0)
    Lane.objects.update(limit=None)
    lanes.forget_limits()
    begun = time.monotonic()
    test_races.cancel_against_finish(scene.person().pk, rounds=INTERLEAVINGS)
    print(f"{INTERLEAVINGS:,} cancels against a finish in {time.monotonic() - begun:.0f} s: one end each.")
