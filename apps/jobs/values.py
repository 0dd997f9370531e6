"""The values that pass between the engine's parts."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from apps.core.errors import Remedy


@dataclass(frozen=True)
class NewJob:
    """What `lifecycle.enqueue` needs to make one job. `run_after` starts it later, `waits_for` after another job."""

    kind: str
    owner_id: int
    subject: str = ""
    priority: int = 5
    waits_for_id: int | None = None
    waits_for_person: bool = False
    parent_id: int | None = None
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
    more: bool  # another job of the lane was due at that moment: a further worker is worth waking


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, for people: a stable code, what happened, what to do, and that as a code too."""

    code: str
    message: str
    action: str = ""
    remedy: Remedy = Remedy.NONE


@dataclass(frozen=True)
class Change:
    """One committed change of a job's state, as the live stream tells it."""

    event_id: int
    job_id: int
    uid: uuid.UUID
    owner_id: int
    lane: str
    subject: str
    old: str
    new: str
    stage: str
    reason: str
    attempt: int
