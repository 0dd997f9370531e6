"""What people may do with jobs, for the API, the pages and the admin alike."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.jobs import endings, families, lifecycle
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.jobs.retention import is_due
from apps.jobs.states import FINAL, LIVE, PENDING, AfterChildren, Status, public_status
from apps.jobs.values import NewJob

URGENT = 10


@dataclass(frozen=True)
class CancelAnswer:
    """`state`: cancelled (it is over) or requested (it runs; its worker will stop)."""

    job: Job
    state: str


def find_job(*, user: User, uid: UUID, kind: str | None = None, everybody: bool = False) -> Job:
    """The user's own job; `everybody`: anybody's, for the admin and the desk. Problem 404 otherwise."""
    jobs = Job.objects.filter(uid=uid)
    if not everybody:
        jobs = jobs.of(user)
    job = (jobs.filter(kind=kind) if kind else jobs).first()
    if job is None:
        raise not_found("job")
    return job


def cancel_job(*, user: User, uid: UUID, kind: str | None = None, everybody: bool = False) -> CancelAnswer:
    """Cancels now what has not started and asks what runs to stop. Problem 409 when it is over already."""
    job = find_job(user=user, uid=uid, kind=kind, everybody=everybody)
    reason = "cancelled_by_owner" if job.owner_id == user.pk else "cancelled_by_staff"
    changes = endings.cancel([job.pk], reason=reason)
    job.refresh_from_db()
    if not changes and job.status in FINAL:
        raise Problem(
            409,
            "already_finished",
            f"The job is {job.get_status_display()} already.",
            "Nothing to do.",
            {"jobStatus": job.status},
        )
    return CancelAnswer(job, "cancelled" if job.status == Status.CANCELLED else "requested")


def retry_job(*, user: User, uid: UUID, everybody: bool = False) -> Job:
    """A new job that does the same and names the old one."""
    old = find_job(user=user, uid=uid, everybody=everybody)
    if old.status not in (Status.FAILED, Status.CANCELLED):
        raise Problem(
            409,
            "not_retryable",
            f"The job is {public_status(old.status)}.",
            "Only failed and cancelled jobs can be tried again.",
            {"jobStatus": public_status(old.status)},
        )
    if old.after_children and is_due(old):
        raise Problem(
            409,
            "too_old",
            "It is so old that its parts are being cleared away.",
            "Make a new one instead of trying again.",
        )
    try:
        with transaction.atomic():
            return _again(old)
    except IntegrityError as error:
        raise Problem(
            409, "already_retried", "This job is being tried again already.", "Wait for the other one."
        ) from error


def _again(old: Job) -> Job:
    """A child joins its family again while that still waits for others, else it goes alone. A parent makes what is missing."""
    needed = _still_waits_for(old)
    waiting = Job.objects.select_for_update().filter(children=old, status=Status.WAITING)
    new = NewJob(
        kind=old.kind,
        owner_id=old.owner_id,
        subject=old.subject,
        priority=old.priority,
        retry_of_id=old.pk,
        parent_id=waiting.values_list("pk", flat=True).first(),
        waits_for_id=needed,
        stage=handler_of(old.kind).waiting_stage if needed else "",
        slot=old.slot,
        after_children=AfterChildren(old.after_children) if old.after_children else None,
        plan=old.plan,
        provider=old.provider,
        max_retries=old.max_retries,
        dedupe_key=old.dedupe_key,
    )
    made = lifecycle.enqueue([new])
    if not made:
        raise IntegrityError("retry_of")
    handler_of(old.kind).clone(old, made[new.uid])
    if old.after_children:
        transaction.on_commit(partial(families.make_children, made[new.uid]))
    return Job.objects.get(uid=new.uid)


def _still_waits_for(old: Job) -> int | None:
    """The newest try of what the old job waited for, while it is live; nothing when it is there. Problem 409 when it failed."""
    newest = old.waits_for
    while newest and (again := newest.retries.order_by("pk").last()):
        newest = again
    # Locked, so that it does not end between this look and the new job's first moment of waiting; before any parent.
    needed = newest and Job.objects.select_for_update().get(pk=newest.pk)
    if needed is None or needed.status in (Status.COMPLETED, Status.SKIPPED):
        return None
    if needed.status in LIVE:
        return needed.pk
    if handler_of(old.kind).goes_without(old):
        return None
    said = handler_of(old.kind).dependency_failed
    raise Problem(409, said.code, said.message, said.action, {"waitsFor": str(needed.uid)})


def change_job(
    *,
    user: User,
    uid: UUID,
    priority: int | None = None,
    before: UUID | None = None,
    after: UUID | None = None,
    urgent_allowed: bool = False,
) -> Job:
    """Another priority, or a place right before or after another of the owner's own waiting jobs."""
    job = find_job(user=user, uid=uid)
    if priority is not None and priority != job.priority:
        allow_priority(priority, urgent_allowed=urgent_allowed)
        if not lifecycle.change_priority(job.pk, priority):
            raise _too_late(job)
    if before is not None:
        _move(job, find_job(user=user, uid=before), lifecycle.move_before)
    if after is not None:
        _move(job, find_job(user=user, uid=after), lifecycle.move_after)
    job.refresh_from_db()
    return job


def _move(job: Job, other: Job, move: Callable[[int, int], bool]) -> None:
    """Problem 409 unless both wait in one line. Already there is fine."""
    if move(job.pk, other.pk):
        return
    waiting = Job.objects.filter(pk__in=[job.pk, other.pk], status=Status.QUEUED).in_bulk()
    if len({(one.lane, one.owner_id) for one in waiting.values()}) != 1 or len(waiting) != 2:
        raise Problem(
            409,
            "cannot_move",
            "Only jobs that wait in the same line can change places.",
            "Load the queue again; it has moved on.",
        )
    if waiting[job.pk].priority != waiting[other.pk].priority:
        raise _other_priority(waiting[job.pk], waiting[other.pk])


def _other_priority(job: Job, other: Job) -> Problem:
    return Problem(
        409,
        "other_priority",
        f"This job has priority {job.priority} and the other {other.priority}; places are per priority.",
        f"Give it priority {other.priority} first, then move it.",
        {"priority": job.priority, "otherPriority": other.priority},
    )


def allow_priority(priority: int, *, urgent_allowed: bool) -> None:
    """Priority 10 jumps everybody's queue: it is for staff, whose tokens need the scope `urgent` for it."""
    if priority >= URGENT and not urgent_allowed:
        raise Problem(403, "priority_reserved", "Priority 10 is for urgent work by staff.", "Use 9 or less.")


def _too_late(job: Job) -> Problem:
    job.refresh_from_db()
    return Problem(
        409,
        "already_started",
        f"The job is {public_status(job.status)}.",
        "Only jobs that wait can be changed.",
        {"jobStatus": public_status(job.status)},
    )


def pending_count(user: User) -> int:
    return Job.objects.of(user).filter(status__in=PENDING).count()
