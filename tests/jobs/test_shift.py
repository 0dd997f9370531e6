"""A worker takes jobs while its slice lasts, and Celery's limit never strikes a job that keeps to its own deadline."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as configured

from apps.core.checks import durations
from apps.jobs import lanes, loop, shift
from apps.jobs.handlers import Done, Run, handler_of
from apps.jobs.models import Attempt, Job, Lane
from apps.jobs.noop import NoopHandler
from apps.studio.services import queue_prompt
from tests.faults import scene
from tests.jobs.conftest import LANE
from tests.support.stack import Stack, running

Enqueue = Callable[..., Job]
SLICE, CALL, ATTEMPT, SOFT_LIMIT = 1, 7, 20, 12  # seconds; two calls in one task would be struck


@pytest.fixture
def outlasting(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    """A kind of job that takes longer than the slice; whoever was woken when it began is busy elsewhere."""
    settings.WORK_SLICE_SECONDS = 0.2  # type: ignore[attr-defined]

    def run(self: NoopHandler, run: Run) -> Done:
        threading.Event().wait(0.3)
        forget_wake_ups()
        return Done()

    monkeypatch.setattr(NoopHandler, "run", run)
    handler_of.cache_clear()


def wake_ups() -> int:
    return int(redis.Redis.from_url(configured.REDIS_URL).llen(f"{LANE}\x06\x163"))


def forget_wake_ups() -> None:
    steps = [f"{LANE}\x06\x16{step}" for step in (3, 6, 9)]
    redis.Redis.from_url(configured.REDIS_URL).delete(LANE, *steps, f"pressroom:wake:{LANE}")


@pytest.fixture
def no_wake_ups() -> Iterator[None]:
    forget_wake_ups()
    yield
    forget_wake_ups()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [None, 2])
def test_no_second_job_is_taken_when_the_first_outlasted_the_slice(
    enqueue: Enqueue, outlasting: None, no_wake_ups: None, limit: int | None
) -> None:
    """Not in the statement that finishes the first, and not in one of its own; the lane goes on with a wake-up."""
    Lane.objects.filter(name=LANE).update(limit=limit)
    lanes.forget_limits()
    first, second = enqueue(), enqueue()
    assert loop.work(LANE) == 1
    assert [Job.objects.get(pk=job.pk).status for job in (first, second)] == ["completed", "queued"]
    assert wake_ups() == 1
    assert loop.work(LANE) == 1
    assert Job.objects.get(pk=second.pk).status == "completed"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_takes_nothing_and_passes_the_wake_up_on(
    enqueue: Enqueue, no_wake_ups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = enqueue()
    forget_wake_ups()
    monkeypatch.setattr(shift.stopping, "value", 1)
    assert loop.work(LANE) == 0
    assert wake_ups() == 1
    assert Job.objects.get(pk=job.pk).status == "queued"
    monkeypatch.undo()


@pytest.mark.django_db(transaction=True)
def test_what_the_claim_waited_for_counts_as_the_attempts_own_time(settings: object) -> None:
    settings.WORK_SLICE_SECONDS, settings.ATTEMPT_SECONDS = 20, 120  # type: ignore[attr-defined]
    begun = shift.Shift.begin()
    assert begun.attempt_ends("noop") < begun.ends + 120
    late = shift.Shift(ends=begun.ends - 60)  # its last claim came back from the database 40 s after it was over
    assert late.attempt_ends("noop") == late.ends + 120


def test_the_check_refuses_limits_that_would_strike_a_healthy_job(settings: object) -> None:
    settings.WORK_SLICE_SECONDS, settings.ATTEMPT_SECONDS = 20, 120  # type: ignore[attr-defined]
    settings.CELERY_TASK_SOFT_TIME_LIMIT = 155  # type: ignore[attr-defined]
    assert durations(None) == []
    settings.CELERY_TASK_SOFT_TIME_LIMIT = 154  # type: ignore[attr-defined]
    assert [wrong.id for wrong in durations(None)] == ["pressroom.E011"]


@pytest.fixture
def slow_stack(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    limits = {
        "PRESSROOM_WORK_SLICE_SECONDS": str(SLICE),
        "PRESSROOM_ATTEMPT_SECONDS": str(ATTEMPT),
        "PRESSROOM_TASK_SOFT_LIMIT": str(SOFT_LIMIT),
        "PRESSROOM_LEASE_SECONDS": "30",
    }
    with running(tmp_path, **limits) as stack:
        stack.worker(concurrency=1)
        yield stack


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_healthy_paid_call_is_never_struck_by_celerys_limit(slow_stack: Stack) -> None:
    """Three calls of 7 s, one process, 12 s a task: each is paid for once, and no attempt is lost."""
    slow_stack.simulator.scenario("xai", times=None, delay_ms=CALL * 1000)
    workspace = scene.workspace_of(scene.person())
    jobs = [queue_prompt(user=workspace.owner, row_id=row.pk, target_url="") for row in scene.rows_in(workspace, 3)]
    assert scene.wait_for(jobs, seconds=90) == {"completed": 3}, scene.errors()
    assert set(Attempt.objects.values_list("outcome", "number")) == {("completed", 1)}
    assert len(slow_stack.simulator.ledger("xai")) == 3
