"""A pack's parent: it waits for its images and says how they ended. Made again, it makes what is missing."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django.db import transaction

from apps.core.errors import Remedy
from apps.jobs.handlers import Handler
from apps.jobs.models import Job
from apps.jobs.values import Failure, NewJob
from apps.listings.cutouts import Wanted, want
from apps.listings.models import Pack
from apps.listings.owned import hold_project, no_place
from apps.listings.packs import add_orders, child_of
from apps.listings.photos import require_photo

PARTS_FAILED = Failure(
    "children_failed",
    "Not all of its images were made.",
    "Resume the pack: only what is missing is made.",
    Remedy.RETRY,
)


class PackHandler(Handler):
    def children(self, parent: Job) -> Iterable[NewJob]:
        pack, plan = _pack_of(parent)
        wanted = self._wanted(pack, parent)
        return [child_of(pack.project, parent.pk, each, wanted, parent.priority) for each in plan["types"]]

    def store_children(self, parent: Job, ids: Mapping[str, int]) -> None:
        pack, plan = _pack_of(parent)
        add_orders(pack, dict(ids), self._wanted(pack, parent), photo_digest=str(plan["photo"]))

    def clone(self, old: Job, new_id: int) -> None:
        pack, _ = _pack_of(old)
        if not hold_project(pack.project_id):
            raise no_place()
        Pack.objects.filter(pk=pack.pk).update(job_id=new_id)

    def _wanted(self, pack: Pack, parent: Job) -> Wanted:
        with transaction.atomic():
            return want(pack.project, require_photo(pack.project), priority=parent.priority)


def _pack_of(parent: Job) -> tuple[Pack, dict[str, Any]]:
    plan = cast("dict[str, Any]", parent.plan)
    return Pack.objects.select_related("project").get(pk=UUID(str(plan["pack"]))), plan
