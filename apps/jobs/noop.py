"""A kind that does nothing, alone or in families: for benchmarks and soaks of the engine and for `manage.py verify`."""

from collections.abc import Iterable

from apps.jobs.handlers import Done, Handler, Run
from apps.jobs.models import Job
from apps.jobs.values import NewJob

SHARED = "shared"


class NoopHandler(Handler):
    def run(self, run: Run) -> Done:
        return Done()

    def children(self, parent: Job) -> Iterable[NewJob]:
        """As a pack's: `parts` (the plan's number) that all wait for one shared sibling before them."""
        assert isinstance(parent.plan, dict)
        yield NewJob(kind="noop", owner_id=parent.owner_id, subject=parent.subject, slot=SHARED)
        for number in range(1, int(parent.plan["parts"]) + 1):
            yield NewJob(
                kind="noop",
                owner_id=parent.owner_id,
                subject=parent.subject,
                slot=f"part-{number}",
                waits_for_slot=SHARED,
            )
