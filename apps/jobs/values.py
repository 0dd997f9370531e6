"""The values that pass between the engine's parts."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from apps.core.errors import Remedy
from apps.jobs.states import AfterChildren

DEFAULT_PRIORITY = 5  # of 1 to 10


@dataclass(frozen=True)
class NewJob:
    """What `lifecycle.enqueue` needs to make one job. `run_after` starts it later, `waits_for` after another job.

    `waits_for_person` is the reason for which a person must do something first, one of its kind's. `stage` is what a job
    that waits shows meanwhile. `provider` is whom it calls; None: its kind's.

    A parent has `after_children` and a `plan` (JSON, frozen): it waits for its children, see families.py. A child names its
    `parent_id` and the `slot` it fills there, which no other child ever does but a retry of it. In a plan `waits_for_slot`
    names the sibling that it waits for (six pictures for one cut-out); families.py turns it into that child's id.

    `dedupe_key`: while a job with it is live, another with the same key makes none. It is free again when that job has
    ended: it keeps two from being open at once ("the open pack of this project"), not from being made once and for all
    ("the run of this day"); for that, keep a row of your own with a unique key beside the job.
    """

    kind: str
    owner_id: int
    subject: str = ""
    priority: int = DEFAULT_PRIORITY
    waits_for_id: int | None = None
    waits_for_person: str = ""
    stage: str = ""
    provider: str | None = None
    parent_id: int | None = None
    slot: str | None = None
    waits_for_slot: str | None = None
    after_children: AfterChildren | None = None
    plan: object = None
    retry_of_id: int | None = None
    dedupe_key: str | None = None
    run_after: datetime | None = None
    max_retries: int | None = None
    uid: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Lease:
    """One worker's hold on one job. Whatever the worker writes is guarded by `fence`: after a rescue it writes nothing."""

    job_id: int
    uid: uuid.UUID
    fence: int
    attempt: int
    kind: str
    lane: str
    provider: str
    owner_id: int
    priority: int
    subject: str
    failures: int
    crashes: int
    max_retries: int
    resumed: bool
    next_priority: int  # of the job that was next in the lane at that moment; 0: none, nobody else is worth waking
    unwanted: bool = False  # its parent was cancelled, and nobody had come to cancel it too before it was claimed


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, for people: a stable code, what happened, what to do, and that as a code too."""

    code: str
    message: str
    action: str = ""
    remedy: Remedy = Remedy.NONE


CHILDREN_FAILED = Failure(
    "children_failed", "Not all of its parts were made.", "Try it again: only what is missing is made.", Remedy.RETRY
)


@dataclass(frozen=True)
class Change:
    """One committed change of a job's state, as the live stream tells it."""

    event_id: int
    job_id: int
    uid: uuid.UUID
    owner_id: int
    lane: str
    kind: str
    priority: int
    subject: str
    old: str
    new: str
    stage: str
    reason: str
    attempt: int
