"""Wake-ups carry what is most urgent; the tick ends when Celery says so; locks have kinds and one order."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import orjson
import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction

from apps.accounts.models import User
from apps.core.database import Locks, lock_names
from apps.jobs import announce, dispatch, endings, lifecycle, wakeups
from apps.jobs.handlers import handler_of
from apps.jobs.models import Job
from apps.jobs.noop import NoopHandler
from apps.jobs.values import Change, Failure, NewJob
from tests.faults.test_races import at_once
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]
LISTS = {0: LANE, **{step: f"{LANE}\x06\x16{step}" for step in (3, 6, 9)}}  # the most urgent are in the first


def redis_client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def sent() -> dict[int, int]:
    """How many messages wait in each list of the lane's."""
    found = {step: int(redis_client().llen(name)) for step, name in LISTS.items()}  # type: ignore[arg-type]
    return {step: count for step, count in found.items() if count}


@pytest.fixture(autouse=True)
def _nobody_is_woken(db: None) -> Iterator[None]:
    redis_client().delete(*LISTS.values(), f"pressroom:wake:{LANE}")
    yield
    redis_client().delete(*LISTS.values(), f"pressroom:wake:{LANE}")


def test_several_jobs_at_once_wake_as_the_most_urgent_of_them(owner: User) -> None:
    lifecycle.enqueue([NewJob(kind="noop", owner_id=owner.pk, priority=priority) for priority in (2, 10, 5)])
    assert sent() == {0: 1}


def test_an_urgent_job_does_not_stand_behind_a_wake_up_that_is_on_its_way(enqueue: Enqueue) -> None:
    enqueue(priority=2)
    assert sent() == {6: 1}
    enqueue(priority=3)  # as good as the one before: not so urgent that it needs another list
    enqueue(priority=9)
    assert sent()[0] == 1
    before = sent()
    enqueue(priority=9)
    enqueue(priority=1)
    assert sent() == before


def test_a_claim_knows_the_priority_of_the_next(enqueue: Enqueue) -> None:
    for priority in (4, 9, 7):
        enqueue(priority=priority)
    seen = []
    while lease := claim():
        seen.append((lease.priority, lease.next_priority))
    assert seen == [(9, 7), (7, 4), (4, 0)]


@pytest.mark.parametrize("where", ["part", "one", "hook"])
def test_the_tick_ends_when_celery_ends_it(enqueue: Enqueue, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit is an Exception like others; going on would end in the hard kill."""
    later: list[str] = []

    def struck(*_given: object, **_named: object) -> int:
        raise SoftTimeLimitExceeded

    if where == "part":
        monkeypatch.setattr(dispatch, "_PARTS", {"first": struck, "second": lambda: later.append("second") or 0})
        with pytest.raises(SoftTimeLimitExceeded):
            dispatch.dispatch()
    elif where == "one":
        with pytest.raises(SoftTimeLimitExceeded):
            dispatch._each([{"id": 1}, {"id": 2}], struck)  # type: ignore[arg-type]
    else:
        monkeypatch.setattr(NoopHandler, "failed", struck)
        handler_of.cache_clear()
        with pytest.raises(SoftTimeLimitExceeded):
            endings.end_failed([enqueue()], Failure("broken", "It broke."))
    assert later == []


def test_names_are_locked_in_one_order_and_kinds_never_meet() -> None:
    names = [f"{number}.xai" for number in range(12)]

    def lock(order: list[str]) -> bool:
        with transaction.atomic():
            lock_names(Locks.BUDGET, order)
            return True

    for _ in range(20):
        assert (
            at_once(lambda: lock(names), lambda: lock(names[::-1]), lambda: lock(names[5:] + names[:5])) == [True] * 3
        )
    with transaction.atomic(), connection.cursor() as cursor:
        lock_names(Locks.BUDGET, ["one"])
        lock_names(Locks.LANE, ["one"])
        cursor.execute("SELECT classid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY 1")
        assert cursor.fetchall() == [(Locks.LANE,), (Locks.BUDGET,)]


def test_the_engines_statements_are_prepared_and_outlive_a_change_of_the_table(enqueue: Enqueue) -> None:
    """A column that a migration adds meanwhile does no harm to what an old connection has prepared."""
    for _ in range(12):
        enqueue()
    for _ in range(4):
        assert claim()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%FOR UPDATE OF j SKIP LOCKED%%'"
        )
        assert cursor.fetchone()[0] == 1

    def alter() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_job ADD COLUMN of_the_next_release int")

    try:
        assert at_once(alter) == [None]
        for _ in range(4):
            assert claim()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_job DROP COLUMN IF EXISTS of_the_next_release")


def test_a_timer_is_as_urgent_as_its_job(enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[tuple[str, float, int]] = []
    monkeypatch.setattr(wakeups, "wake_in", lambda *given: timers.append(given))
    enqueue(priority=8)
    lease = claim()
    assert lease is not None
    assert lifecycle.park(lease, seconds=3, stage="saving")
    assert timers == [(LANE, 3, 8)]


def test_what_a_batch_changed_is_told_in_portions() -> None:
    """One message of megabytes would outlast Redis's time, and with the stream close the wake-ups."""
    changes = [
        Change(
            event_id=number,
            job_id=number,
            uid=uuid4(),
            owner_id=1,
            lane=LANE,
            kind="noop",
            priority=5,
            subject="",
            old="",
            new="queued",
            stage="",
            reason="",
            attempt=0,
        )
        for number in range(2 * announce.MOST_A_MESSAGE + 1)
    ]
    with redis_client().pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(announce.CHANNEL)
        heard.get_message(timeout=5)  # that it listens
        announce._publish(changes)
        sizes = [len(orjson.loads(message["data"])) for message in iter(lambda: heard.get_message(timeout=1), None)]
    assert sizes == [announce.MOST_A_MESSAGE, announce.MOST_A_MESSAGE, 1]
