"""One go at a job, as a pipeline: start, handle, and tell the lifecycle what came of it."""

import time
from dataclasses import dataclass

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction

from apps.core.context import logged
from apps.jobs import lifecycle, retries
from apps.jobs.handlers import Cancelled, Done, LeaseLost, Parked, Run, handler_of
from apps.jobs.heartbeats import heart
from apps.jobs.models import Job
from apps.jobs.retries import Again
from apps.jobs.states import Outcome
from apps.jobs.values import Failure, Lease

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Next:
    """What the worker's loop goes on with: a lease that came with the finish, or nothing."""

    lease: Lease | None = None
    asked: bool = False  # the finish already looked for the next job


def execute(lease: Lease, *, worker: str, go_on: bool) -> Next:
    """Runs one lease to its verb. With `go_on` a plain finish claims the next job in the same statement."""
    with logged(job=str(lease.uid), attempt=lease.attempt, lane=lease.lane):
        run = Run(lease=lease, ends=time.monotonic() + settings.ATTEMPT_SECONDS)
        try:
            with heart().beating(run):
                result = handler_of(lease.kind).run(run)
            return _succeeded(lease, result, worker=worker, go_on=go_on)
        except LeaseLost:
            log.warning("lease_lost")
        except Cancelled:
            lifecycle.cancel_held(lease)
        except (SystemExit, KeyboardInterrupt, SoftTimeLimitExceeded):
            _interrupted(lease)
            raise
        except Exception as error:
            _failed(lease, error)
        return Next()


def _succeeded(lease: Lease, result: Done | Parked, *, worker: str, go_on: bool) -> Next:
    if isinstance(result, Parked):
        lifecycle.park(lease, seconds=result.seconds, stage=result.stage)
        return Next()
    if result.store is None and go_on:
        finished, following = lifecycle.complete_and_claim(lease, worker=worker)
        if not finished:
            _lost_the_finish(lease)
        return Next(following, asked=True)
    with transaction.atomic():
        finished = lifecycle.complete(lease)
        if finished and result.store:
            result.store()
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
        failed = lifecycle.fail(lease, failure)
        if failed:
            end_failed([Job.objects.get(pk=lease.job_id)], failure)
    log.info("job_failed", code=failure.code, won=failed)
    if not failed:
        lifecycle.cancel_held(lease)


def end_failed(jobs: list[Job], failure: Failure) -> None:
    """What follows a final failure, in its transaction: the kind's own hook, then whoever still waits fails too."""
    for job in jobs:
        handler_of(job.kind).failed(job, failure)
    lifecycle.end_dependants([job.pk for job in jobs], status="failed", failure=lifecycle.DEPENDENCY_FAILED)


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


def _interrupted(lease: Lease) -> None:
    """A stopped worker hands its job back at once; if the database does not answer, the lease runs out instead."""
    from django.db import connection

    # The signal may have struck inside a statement: this connection can no longer be trusted.
    connection.close()
    _try_again(
        lease,
        Again(0.0, "interrupted", Outcome.INTERRUPTED, retries.INTERRUPTED, counts=False),
    )
