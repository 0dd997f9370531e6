"""How jobs end otherwise than by completing, with what their kinds have to say about it: one place for each.

The hooks run in the transaction of the verb they follow, so one is never there without the other.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction

from apps.jobs import lifecycle
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.jobs.values import Change, Failure

log = structlog.get_logger(__name__)
CHILDREN_AT_ONCE = 1000  # a person waits for the answer, and the tick has others to see to


def cancel(job_ids: Sequence[int], *, reason: str) -> list[Change]:
    """Ends what has not started, asks what runs to stop, and lets each job's kind end what only that job needed.

    Everything that may be ended here is locked first, in the order of ids: a prompt before the images that wait for
    it, as its completion does. Of two people who cancel the last two images of a prompt, the second to get the prompt
    sees what the first has done, and ends it.
    """
    with transaction.atomic():
        of_kind: dict[str, list[int]] = defaultdict(list)
        for job_id, kind in Job.objects.filter(pk__in=job_ids).values_list("pk", "kind"):
            of_kind[kind].append(job_id)
        needed = {needed for kind, ids in of_kind.items() for needed in handler_of(kind).needed_by(ids)}
        lifecycle.lock([*job_ids, *needed])
        changes = lifecycle.request_cancel(job_ids, reason=reason)
        for job in Job.objects.filter(pk__in=[change.job_id for change in changes]).order_by("pk"):
            _call(handler_of(job.kind).cancelled, job)
            if job.after_children and job.status == Status.CANCELLED:
                transaction.on_commit(partial(cancel_children, job.pk))
    return changes


def cancel_children(parent_id: int) -> int:
    """Cancels open children of an ended parent, up to CHILDREN_AT_ONCE; answers how many. Each tick goes on with the rest.

    In transactions after the parent's own: whoever holds a parent must not wait for its children.
    """
    count = 0
    children = Job.objects.live().filter(parent_id=parent_id, cancel_requested_at=None).order_by("pk")
    while count < CHILDREN_AT_ONCE and (ids := list(children.values_list("pk", flat=True)[: lifecycle.BATCH])):
        count += len(ids)
        cancel(ids, reason="parent_cancelled")
    return count


def end_failed(jobs: list[Job], failure: Failure) -> None:
    """What follows a final failure, in its transaction: the kind's own hook, then whoever still waits fails too."""
    for job in jobs:
        _call(handler_of(job.kind).failed, job, failure)
    fail_dependants([job.pk for job in jobs])


def fail_dependants(job_ids: Sequence[int]) -> None:
    """Whoever still waits for one of these fails, and whoever waits for those, each in the words of its own kind."""
    while job_ids:
        waiting = Job.objects.filter(waits_for_id__in=job_ids, status=Status.WAITING)
        job_ids = fail_waiting(dict(waiting.values_list("pk", "kind")))


def fail_waiting(kinds: Mapping[int, str]) -> list[int]:
    """Fails jobs that wait (id → kind) for one that is over or gone; answers the ids of those that did."""
    failures = {job_id: handler_of(kind).dependency_failed for job_id, kind in kinds.items()}
    return [change.job_id for change in lifecycle.fail_waiting(failures)]


def _call(hook: Callable[..., None], job: Job, *more: Failure) -> None:
    """A broken hook must not keep its job alive: it would be rescued and fail again at every tick.

    When the database gave up for others' sake, or Celery ends the task, nothing of the ending is done and it is repeated.
    """
    try:
        with transaction.atomic():
            hook(job, *more)
    except (SoftTimeLimitExceeded, OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("hook_broke", hook=hook.__name__, job=str(job.uid), exc_info=error)
