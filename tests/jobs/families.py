"""A kind of parent for the tests: its plan is a list of slots, and each slot is one job that does nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from django.conf import settings

from apps.jobs.handlers import Done, Handler, Run
from apps.jobs.models import Job
from apps.jobs.values import NewJob
from config.lanes import Kind

LANE = "listings"
stored: list[str] = []


class FamilyHandler(Handler):
    def run(self, run: Run) -> Done:
        return Done()

    def children(self, parent: Job) -> Iterable[NewJob]:
        assert isinstance(parent.plan, list)
        return (
            NewJob(kind="part", owner_id=parent.owner_id, subject=parent.subject, slot=slot) for slot in parent.plan
        )

    def store_children(self, parent: Job, ids: Mapping[str, int]) -> None:
        stored.extend(ids)


class PartHandler(Handler):
    def run(self, run: Run) -> Done:
        return Done()


def teach(patch: pytest.MonkeyPatch, **changes: object) -> None:
    """Adds the kinds `family` and `part` to the table of kinds; `changes` are of `part`."""
    part = Kind(lane=LANE, product="", handler="tests.jobs.families.PartHandler")
    family = Kind(lane=LANE, product="", handler="tests.jobs.families.FamilyHandler")
    patch.setattr(settings, "KINDS", settings.KINDS | {"family": family, "part": replace(part, **changes)})  # type: ignore[arg-type]
