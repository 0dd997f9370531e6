"""What a kind of job does, and how it tells the engine the outcome.

A handler returns Done or Parked, or raises one of the four ways below; anything else is a bug in it, which is logged
with its traceback and retried by policy. It never changes a job's state itself.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.core.errors import Remedy
from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.jobs.values import Failure, Lease, NewJob


@dataclass(frozen=True)
class Done:
    """The work is done. `store` writes the result in the transaction that completes the job, if it still may."""

    store: Callable[[], None] | None = None


@dataclass(frozen=True)
class Parked:
    """A provider works on it; look again in `seconds`. No worker is held meanwhile."""

    seconds: float
    stage: str


@dataclass
class RetryLater(Exception):
    """It failed in a way that can pass. `after`: not before so many seconds; `reason`: why it waits.

    Held back by a provider (`rate_limited_until`, `breaker_open_until`) it does not use up an attempt.
    """

    failure: Failure
    after: float | None = None
    reason: str = "backoff_until"


@dataclass
class GiveUp(Exception):
    """It failed in a way that does not pass."""

    failure: Failure


class Cancelled(Exception):
    """Somebody asked to cancel and the handler stopped."""


class LeaseLost(Exception):
    """The job was taken away from this worker: whatever it does now is void."""


@dataclass
class Run:
    """One worker's go at a job: what a handler may ask and tell while it works.

    `ends` is the attempt's deadline on the monotonic clock, in seconds.
    """

    lease: Lease
    ends: float
    cancel_requested: bool = False
    lost: bool = False

    @property
    def job(self) -> Job:
        return Job.objects.get(pk=self.lease.job_id)

    @property
    def remaining(self) -> float:
        """Seconds left of the attempt."""
        return max(0.0, self.ends - time.monotonic())

    def stage(self, stage: str) -> None:
        lifecycle.set_stage(self.lease, stage)

    def check(self) -> None:
        """Raises when there is no point in going on. Called before anything that costs."""
        beat = lifecycle.heartbeat(self.lease)
        self.lost = self.lost or not beat.held
        self.cancel_requested = self.cancel_requested or beat.cancel_requested
        if self.lost:
            raise LeaseLost
        if self.cancel_requested:
            raise Cancelled


class Handler:
    """One kind of job. The hooks run inside the transaction of the verb they follow; they do no I/O."""

    # What a job says that fails because the one it waited for did.
    dependency_failed = Failure(
        "dependency_failed", "What it waited for did not work.", "Try that again first.", Remedy.RETRY
    )

    # What a job of this kind shows while it waits for another one.
    waiting_stage = ""

    def run(self, run: Run) -> Done | Parked:
        raise NotImplementedError

    def goes_without(self, old: Job) -> bool:
        """Whether a retry of this job can do its work although what the job waited for did not work."""
        return False

    def failed(self, job: Job, failure: Failure) -> None:
        """The job failed for good: give its dependants another way, or leave them to fail with it."""

    def needed_by(self, job_ids: Sequence[int]) -> Sequence[int]:
        """Ids of the other jobs that `cancelled` may end: they are locked together with these."""
        return ()

    def cancelled(self, job: Job) -> None:
        """Somebody cancelled the job, or asked it to stop, or it ended with the one it waited for: end what only it needed.

        Once for each job, when it is asked for; the worker or the rescue that obeys does not call it again.
        """

    def children(self, parent: Job) -> Iterable[NewJob]:
        """The children that the parent's frozen plan asks for, in its order, each with its slot: the same at every call."""
        raise NotImplementedError

    def store_children(self, parent: Job, ids: Mapping[str, int]) -> None:
        """Writes what their kind keeps beside children just made (slot → id), in the transaction that makes them."""

    def clone(self, old: Job, new_id: int) -> None:
        """Copies what the kind keeps beside the job for a retry of it."""

    def facts_to_archive(self, job_ids: Sequence[int]) -> Mapping[int, object]:
        """What the kind keeps beside jobs that are pruned, as JSON by job: it goes into the archive with them."""
        return {}

    def pruned(self, job_ids: Sequence[int]) -> None:
        """These are removed in this transaction: whatever statistics need of them is added to their sums."""

    def reconcile(self, job: Job) -> None:
        """Settles what is still open at a provider after the job ended. Called by dispatch, outside transactions."""


@cache
def handler_of(kind: str) -> Handler:
    return import_string(settings.KINDS[kind].handler)()
