"""Parents and their children: making them in bulk, carrying a plan on, and how far a family is.

A parent calls no provider and holds no lane, lease or worker: it waits for its children, and the statement that ends the
last of them ends it or puts it in line (sql/parts.py). Its plan is frozen when it is made; what is told of its progress is
read from its children's rows. Few children are made in their parent's own transaction (lifecycle.enqueue, then
lifecycle.seal); many by `make_children`, which may be broken off anywhere and called again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from django.db import connection, transaction
from django.db.models import Count

from apps.jobs import lifecycle, sql
from apps.jobs.endings import cancel_children
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.jobs.values import NewJob

CHUNK = 2000  # children a transaction
CHUNKS_A_TICK = 5
LEFT_AFTER_SECONDS = 60.0  # a plan that nobody has carried on for so long has lost its maker

# Slots that a retry of a family need not fill: made in it or in one that it retries, there or by a retry of the child.
_FILLED = """
WITH RECURSIVE chain AS (
  SELECT id, retry_of_id FROM jobs_job WHERE id = %(parent_id)s
  UNION ALL SELECT j.id, j.retry_of_id FROM jobs_job j JOIN chain c ON j.id = c.retry_of_id),
tries AS (
  SELECT id, slot, status, parent_id FROM jobs_job WHERE parent_id IN (SELECT id FROM chain) AND slot IS NOT NULL
  UNION ALL SELECT j.id, t.slot, j.status, j.parent_id FROM jobs_job j JOIN tries t ON j.retry_of_id = t.id)
SELECT DISTINCT slot FROM tries
WHERE status IN ('completed', 'skipped') OR (parent_id IS NULL AND status NOT IN ('failed', 'cancelled'))
"""


def enqueue_many(
    parent_id: int,
    plan: Iterable[NewJob],
    *,
    store: Callable[[Mapping[str, int]], None] | None = None,
    most: int | None = None,
) -> bool:
    """Makes the children of a plan that are not there yet, by their slots, and seals the parent. Not in a transaction.

    CHUNK children a transaction, in which `store` (slot → id of those just made) writes what their kind keeps beside them.
    Called again after a crash, or by two at once, it makes the same rows. At most `most` chunks with something missing;
    False when more is left or the parent is over.
    """
    rest = iter(plan)
    while children := list(islice(rest, CHUNK)):
        slots = [child.slot for child in children]
        made_before = Job.objects.filter(parent_id=parent_id, slot__in=slots, retry_of=None)  # job_one_per_slot
        there = set(made_before.values_list("slot", flat=True))
        missing = [replace(child, parent_id=parent_id) for child in children if child.slot not in there]
        if not missing:
            continue
        if most == 0 or not Job.objects.filter(pk=parent_id, status=Status.WAITING).exists():
            return False
        most = most - 1 if most else most
        with transaction.atomic():
            made = _enqueue_wave(parent_id, [child for child in missing if child.waits_for_slot is None])
            made |= _enqueue_wave(parent_id, [child for child in missing if child.waits_for_slot is not None])
            if store and made:
                store(made)
    lifecycle.seal(parent_id)
    return True


def _enqueue_wave(parent_id: int, children: Sequence[NewJob]) -> dict[str, int]:
    """Makes children of which none waits for another of them; answers slot → id of those made.

    Whom a child waits for is in the plan before it, or beside it and waits for nobody. A cut-out that is there already is
    not waited for. One that has just failed is: `lifecycle.left_waiting` then ends who waits for it, in its own words.
    """
    awaited = {child.waits_for_slot for child in children if child.waits_for_slot}
    # Locked, so that none of them ends between this look and the children's first moment of waiting.
    newest = Job.objects.select_for_update().filter(parent_id=parent_id, slot__in=awaited).order_by("pk")
    tries = {slot: (pk, status) for slot, pk, status in newest.values_list("slot", "pk", "status")}
    wired = []
    for child in children:
        awaited_id, status = tries.get(child.waits_for_slot or "", (None, ""))
        waits = awaited_id if status not in (Status.COMPLETED, Status.SKIPPED) else None
        stage = child.stage or handler_of(child.kind).waiting_stage if waits else child.stage
        wired.append(replace(child, waits_for_id=waits or child.waits_for_id, stage=stage))
    made = lifecycle.enqueue(wired) if wired else {}
    return {child.slot: made[child.uid] for child in wired if child.slot and child.uid in made}


def make_children(parent_id: int, *, most: int | None = None) -> bool:
    """Carries the parent's plan on, as its handler reads it. Of a retry only what is missing. See `enqueue_many`."""
    parent = Job.objects.get(pk=parent_id)
    handler = handler_of(parent.kind)
    with connection.cursor() as cursor:
        cursor.execute(_FILLED, {"parent_id": parent_id})
        filled = {slot for (slot,) in cursor.fetchall()}
    plan = (child for child in handler.children(parent) if child.slot not in filled)
    return enqueue_many(parent_id, plan, store=partial(handler.store_children, parent), most=most)


def progress(parent_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many children of each parent are in which status. Of a child that was tried again the newest counts."""
    told: dict[int, dict[str, int]] = defaultdict(dict)
    newest = Job.objects.filter(parent_id__in=parent_ids).exclude(retries__parent_id__in=parent_ids)
    for parent_id, status, count in newest.values_list("parent_id", "status").annotate(count=Count("id")).order_by():
        told[parent_id][status] = count
    return dict(told)


def carry_on() -> int:
    """The tick's part: what a verb should have done and could not, since its process died. Answers how many parents."""
    cancelled = [parent for parent in _ids(sql.ORPHANED) if cancel_children(parent)]
    planned = [make_children(parent, most=CHUNKS_A_TICK) for parent in _ids(sql.UNPLANNED, limit=1)]
    settled = [parent for parent in _ids(sql.HANGING) if lifecycle.settle_family(parent)]
    return len(cancelled) + len(planned) + len(settled)


def _ids(query: str, *, limit: int = 100) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"limit": limit, "seconds": LEFT_AFTER_SECONDS})
        return [row[0] for row in cursor.fetchall()]
