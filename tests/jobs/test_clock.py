"""The database's clock is put back by an hour: what was written for a moment to come is not waited for an hour longer."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection
from django_celery_beat.models import PeriodicTask

from apps.accounts.models import User
from apps.core.clock import database_now
from apps.desk import figures, vitals
from apps.jobs import lanes, lifecycle
from apps.jobs.beat import Scheduler
from apps.jobs.clock import put_right
from apps.jobs.dispatch import dispatch
from apps.jobs.models import Hold, Job, Worker
from apps.jobs.schedule import ensure_schedule
from apps.jobs.values import Failure
from apps.providers.models import Breaker, Place
from tests.jobs.conftest import LANE, claim
from tests.support.stack import Stack, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STAMPS = {
    "jobs_job": "created_at queued_at started_at finished_at lease_until wake_at run_after",
    "jobs_attempt": "queued_at started_at finished_at",
    "jobs_event": "at",
    "jobs_hold": "set_at until",
    "jobs_worker": "started_at alive_at",
    "jobs_tally_mark": "upto",
    "providers_breaker": "window_started_at open_until probe_until",
    "providers_place": "free_at",
}


def put_the_clock_back(by: timedelta) -> None:
    """Seen from the tables: everything in them was written by a clock that was ahead."""
    with connection.cursor() as cursor:
        for table, columns in STAMPS.items():
            cursor.execute(
                f"UPDATE {table} SET " + ", ".join(f"{name} = {name} + %(by)s" for name in columns.split()), {"by": by}
            )


def of(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_leases_retries_and_looks_go_on_in_their_own_time(enqueue: Enqueue) -> None:
    dead, retried, parked, dated = enqueue(), enqueue(), enqueue(), enqueue(run_after=database_now() + 3 * HOUR)
    claim("dead")
    lease = claim()
    assert lease is not None
    lifecycle.reschedule(
        lease, seconds=20, reason="backoff_until", outcome="retry", failure=Failure("x", "y"), counts=True
    )
    lease = claim()
    assert lease is not None
    lifecycle.park(lease, seconds=15, stage="saving")
    wanted = of(dated).run_after
    dispatch()
    put_the_clock_back(HOUR)
    Job.objects.filter(pk=dated.pk).update(run_after=wanted)  # a date is a date
    assert dispatch()["put_right"]
    now = database_now()
    assert now < of(dead).lease_until <= now + MINUTE  # type: ignore[operator]
    assert now < of(retried).run_after <= now + timedelta(seconds=20)  # type: ignore[operator]
    assert of(parked).wake_at <= now + timedelta(seconds=15)  # type: ignore[operator]
    assert of(dated).run_after == wanted
    assert "put_right" in dispatch()
    assert put_right() == 0


def test_what_was_ended_before_is_counted_once_and_what_ends_after_it_too(enqueue: Enqueue, owner: User) -> None:
    def completed() -> int:
        return figures.statistics(kind="noop", lane=LANE, owner_id=owner.pk).total_completed

    def complete(count: int) -> None:
        for _ in range(count):
            enqueue()
            lease = claim()
            assert lease is not None
            assert lifecycle.complete(lease)

    complete(3)
    dispatch()
    complete(2)  # not folded yet
    assert completed() == 5
    put_the_clock_back(HOUR)
    dispatch()
    assert completed() == 5
    complete(4)
    assert completed() == 9
    dispatch()
    assert completed() == 9


def test_providers_are_called_again_when_they_may_be(owner: User) -> None:
    until = database_now() + timedelta(seconds=40)
    lanes.hold(Hold.Scope.PROVIDER, "xai", reason="rate_limited_until", until=until)
    lanes.hold(Hold.Scope.OWNER, str(owner.pk), reason="owner_held", until=until, by="eve")
    Breaker.objects.create(provider="xai", model="m", state="open", window_started_at=until, open_until=until)
    Place.objects.create(provider="xai", kind="call", number=1, free_at=until)
    dispatch()
    put_the_clock_back(HOUR)
    dispatch()
    now, soon = database_now(), database_now() + timedelta(seconds=40)
    assert now - MINUTE < Hold.objects.get(scope="provider").until <= soon  # type: ignore[operator]
    assert Hold.objects.get(scope="owner").until == until + HOUR  # a person's date
    breaker = Breaker.objects.get(model="m")
    assert breaker.open_until <= soon  # type: ignore[operator]
    assert breaker.window_started_at <= now
    assert Place.objects.get().free_at <= soon


def test_a_sign_of_life_from_the_future_is_none(db: None) -> None:
    now = database_now()
    Worker.objects.create(name="w", lanes=["prompts", "images", "listings"], processes=2, started_at=now, alive_at=now)
    assert vitals.workers().ok
    Worker.objects.update(alive_at=now + HOUR)
    assert not vitals.workers().ok


@pytest.fixture
def tick() -> PeriodicTask:
    ensure_schedule()
    return PeriodicTask.objects.get(task="jobs.dispatch")


def last_run(at: datetime) -> None:
    PeriodicTask.objects.update(last_run_at=at)


def test_a_last_run_in_the_future_is_not_recent_and_init_forgets_it(tick: PeriodicTask) -> None:
    last_run(database_now())
    assert vitals.beat().ok
    last_run(database_now() + HOUR)
    seen = vitals.beat()
    assert not seen.ok
    assert "POST /api/init" in seen.action
    ensure_schedule()
    tick.refresh_from_db()
    assert tick.last_run_at is None


def test_beat_goes_on_when_the_clock_is_put_back_under_it(tick: PeriodicTask) -> None:
    scheduler = Scheduler(app=current_app._get_current_object())
    scheduler.tick()
    ahead = scheduler.app.now() + HOUR
    scheduler._seen = ahead
    for entry in scheduler.schedule.values():
        entry.last_run_at = ahead
    scheduler._heap = [type(event)(event[0] + 3600, *event[1:]) for event in scheduler._heap]
    runs = {name: entry.model.total_run_count for name, entry in scheduler.schedule.items()}
    for _ in range(2 * len(runs)):
        scheduler.tick()
    ours = {"dispatch", "reconcile", "prune", "sweep"}
    assert {name for name in ours if scheduler.schedule[name].model.total_run_count > runs[name]} == ours
    scheduler.close()


@pytest.fixture
def beat(tick: PeriodicTask, tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path) as stack:
        yield stack


@pytest.mark.workers
def test_beat_starts_with_a_last_run_in_the_future(beat: Stack, tick: PeriodicTask) -> None:
    last_run(database_now() + HOUR)
    beat.start("beat", "celery", "-A", "config", "beat", "--pidfile=")
    wait_until(lambda: vitals.beat().ok, what="a tick of beat")
