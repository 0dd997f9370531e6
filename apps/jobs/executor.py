"""One go at a job, as a pipeline: start, handle, and tell the lifecycle what came of it."""

import time
from dataclasses import dataclass

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from apps.core.context import logged
from apps.core.database import is_conflict, is_passing
from apps.core.failpoints import failpoint
from apps.jobs import lifecycle, retries
from apps.jobs.endings import cancel, end_failed
from apps.jobs.handlers import Cancelled, Done, LeaseLost, Parked, RetryLater, Run, handler_of
from apps.jobs.heartbeats import heart
from apps.jobs.models import Job
from apps.jobs.retries import Again
from apps.jobs.shift import Shift
from apps.jobs.values import Failure, Lease

log = structlog.get_logger(__name__)
DATABASE_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Next:
    """What the worker's loop goes on with: a lease that came with the finish, or nothing."""

    lease: Lease | None = None
    looked: bool = False  # the finish already looked for the next job


def execute(lease: Lease, *, worker: str, shift: Shift) -> Next:
    """Runs one lease to its verb. While the shift lasts a plain finish claims the next job in the same statement."""
    with logged(job=str(lease.uid), attempt=lease.attempt, lane=lease.lane):
        run = Run(lease=lease, ends=shift.attempt_ends(lease.kind))
        try:
            return _run(run, worker=worker, shift=shift)
        except (OperationalError, InterfaceError) as error:
            if is_passing(error):
                _hand_back_when_possible(lease)
            else:
                crowded = RetryLater(retries.CROWDED, after=DATABASE_PAUSE_SECONDS, reason=retries.INTERRUPTED)
                _failed(lease, crowded if is_conflict(error) else error)
        return Next()


def _run(run: Run, *, worker: str, shift: Shift) -> Next:
    lease = run.lease
    try:
        failpoint("after_claim")
        if lease.unwanted:
            # A cancelled parent's children are cancelled in portions. This one was claimed before its turn came.
            cancel([lease.job_id], reason="parent_cancelled")
            raise Cancelled
        with heart().beating(run):
            result = handler_of(lease.kind).run(run)
        return _succeeded(lease, result, worker=worker, shift=shift)
    except LeaseLost:
        log.warning("lease_lost")
    except Cancelled:
        lifecycle.cancel_held(lease)
    except SoftTimeLimitExceeded:
        _interrupted(lease, RetryLater(retries.OVER_TIME))
        raise
    except (SystemExit, KeyboardInterrupt):
        _interrupted(lease, RetryLater(retries.STOPPED, after=0.0, reason=retries.INTERRUPTED))
        raise
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        _failed(lease, error)
    return Next()


def _succeeded(lease: Lease, result: Done | Parked, *, worker: str, shift: Shift) -> Next:
    if isinstance(result, Parked):
        lifecycle.park(lease, seconds=result.seconds, stage=result.stage)
        return Next()
    if result.store is None and shift.may_take:
        finished, following = lifecycle.complete_and_claim(lease, worker=worker)
        if not finished:
            _lost_the_finish(lease)
        return Next(following, looked=True)
    failpoint("before_complete")
    with transaction.atomic():
        finished = lifecycle.complete(lease)
        if finished and result.store:
            result.store()
        failpoint("before_commit")
    failpoint("after_complete")
    if not finished:
        _lost_the_finish(lease)
    return Next()


def _lost_the_finish(lease: Lease) -> None:
    """A completion that finds a cancel mark gives way to it; one that finds another worker's fence is void."""
    if not lifecycle.cancel_held(lease):
        log.warning("finish_fenced_off")


def _failed(lease: Lease, error: Exception) -> None:
    decision = retries.decide(error, lease)
    if isinstance(decision, Failure):
        _fail_for_good(lease, decision)
    else:
        _try_again(lease, decision)
    if (decision if isinstance(decision, Failure) else decision.failure) is retries.BUG:
        log.error("handler_broke", exc_info=error)


def _fail_for_good(lease: Lease, failure: Failure) -> None:
    with transaction.atomic():
        lifecycle.lock([lease.job_id])
        failed = lifecycle.fail(lease, failure)
        if failed:
            end_failed([Job.objects.get(pk=lease.job_id)], failure)
    log.info("job_failed", code=failure.code, won=failed)
    if not failed:
        lifecycle.cancel_held(lease)


def _try_again(lease: Lease, again: Again) -> None:
    moved = lifecycle.reschedule(
        lease,
        seconds=again.seconds,
        reason=again.reason,
        outcome=again.outcome,
        failure=again.failure,
        counts=again.counts,
    )
    log.info(
        "job_rescheduled", code=again.failure.code, reason=again.reason, seconds=round(again.seconds, 2), won=moved
    )
    if not moved:
        lifecycle.cancel_held(lease)


def _interrupted(lease: Lease, why: RetryLater) -> None:
    """A stopped worker hands its job back at once; if the database does not answer, the lease runs out instead."""
    # The signal may have struck inside a statement: this connection can no longer be trusted.
    connection.close()
    try:
        _failed(lease, why)
    except DatabaseError as error:
        log.warning("not_handed_back", error=type(error).__name__)


def _hand_back_when_possible(lease: Lease) -> None:
    """PostgreSQL failed in the middle: the worker waits for it, and the job loses no try.

    Whether a COMMIT was applied whose answer was lost is asked with the fence: then there is nothing to hand back.
    After the time of a lease it is left to rescue.
    """
    ends = time.monotonic() + settings.LEASE_SECONDS
    while True:
        connection.close()
        try:
            return _failed(lease, RetryLater(retries.DATABASE_AWAY, after=1.0, reason=retries.INTERRUPTED))
        except (OperationalError, InterfaceError) as error:
            if not is_passing(error) or time.monotonic() > ends:
                raise
            time.sleep(DATABASE_PAUSE_SECONDS)
