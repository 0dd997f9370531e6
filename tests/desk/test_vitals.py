"""What is told of a database or a Redis that is there and takes nothing."""

from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.test import RequestFactory
from django.utils import timezone
from django.utils.html import strip_tags

from apps.core import broker, database, middleware
from apps.core.broker import Hints, Trouble, hints
from apps.desk import vitals
from apps.desk.estimates import describe
from apps.jobs import executor
from apps.jobs.models import Job, Worker
from apps.jobs.shift import Shift
from apps.pages.words import Line, waiting
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis_is_full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' own server, with less memory than it uses: it answers, and takes nothing."""
    monkeypatch.setattr(hints, "closed_until", 0.0)
    hints.client.config_set("maxmemory", 1)
    yield
    hints.client.config_set("maxmemory", 0)
    hints.closed_until = 0.0


def seen(name: str) -> vitals.Vital:
    return next(vital for vital in vitals.look() if vital.name == name)


def told(job: Job) -> str:
    said = waiting(Line.of(job, describe([job])[job.pk]))
    return strip_tags(f"{said.lead} {said.rest}")


def test_a_full_redis_is_full_and_not_away(redis_is_full: None, enqueue: Callable[..., Job]) -> None:
    now = timezone.now()
    Worker.objects.create(name="w1", lanes=[LANE], processes=1, started_at=now, alive_at=now)
    job = enqueue()
    assert hints.client.ping()
    vital = seen("redis")
    assert not vital.ok
    assert vital.detail.startswith("Redis is full: it answers and takes nothing more.")
    assert "maxmemory" in vital.action
    outlook = describe([job])[job.pk]
    assert (outlook.reason, outlook.facts["cause"]) == ("no_worker", "redis_full")
    assert told(job).startswith("Redis is full, so nobody is woken. It keeps its place")
    Worker.objects.all().delete()
    assert "Redis is full" in told(job), "workers that are not heard of for that are not the cause"
    assert "Put Redis right first" in seen("workers").action


@pytest.fixture
def redis_wants_a_password() -> Iterator[None]:
    """Connections that are open already go on; a new one is refused."""
    known = redis.Redis.from_url(settings.REDIS_URL)
    known.config_set("requirepass", "secret")
    yield
    known.config_set("requirepass", "")


@pytest.mark.usefixtures("redis_wants_a_password")
@pytest.mark.parametrize(
    ("url", "trouble"),
    [("redis://127.0.0.1:1/0", Trouble.AWAY), (settings.REDIS_URL, Trouble.REFUSES)],
    ids=["away", "refuses"],
)
def test_away_and_refused_are_told_apart(
    url: str, trouble: Trouble, enqueue: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Hints(url)
    for module in (vitals, broker):
        monkeypatch.setattr(module, "hints", other)
    monkeypatch.setattr("apps.desk.estimates.hints", other)
    vital = seen("redis")
    assert not vital.ok
    assert other.trouble == trouble
    now = timezone.now()
    Worker.objects.create(name="w1", lanes=[LANE], processes=1, started_at=now, alive_at=now)
    assert told(enqueue()).startswith("Redis is away" if trouble == Trouble.AWAY else "Redis does not let us in")


def no_room() -> OperationalError:
    """As PostgreSQL says it when a file cannot be made longer."""
    with pytest.raises(OperationalError) as raised, connection.cursor() as cursor:
        cursor.execute(
            "DO $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
        )
    return raised.value


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> OperationalError:
    monkeypatch.setattr(database, "_refused_at", float("-inf"))
    return no_room()


@pytest.mark.parametrize(("path", "words"), [("/api/jobs", "no room left"), ("/workspaces", "The database is full")])
def test_a_full_database_is_full_and_not_away(full: OperationalError, path: str, words: str) -> None:
    assert seen("database").ok
    reply = middleware.database_away_response(RequestFactory().get(path), full)
    page = reply.content.decode()
    assert reply.status_code == 503
    assert words in page
    assert "make room" in page
    assert "cannot be reached" not in page
    vital = seen("database")
    assert not vital.ok
    assert "no room left" in vital.detail


def test_a_job_that_meets_a_full_disk_loses_no_try(
    full: OperationalError, enqueue: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = enqueue()
    lease = claim()
    assert lease is not None

    class Full:
        def run(self, run: object) -> None:
            raise full

    monkeypatch.setattr(executor, "handler_of", lambda kind: Full())
    executor.execute(lease, worker="w1", shift=Shift.begin())
    job.refresh_from_db()
    assert (job.status, job.failures) == ("scheduled", 0)


def test_while_the_database_is_away_the_others_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away, raising=False)
    monkeypatch.setattr(connection, "chunked_cursor", away, raising=False)
    looked = {vital.name: vital for vital in vitals.look()}
    assert looked["database"].detail == "The database cannot be reached."
    assert looked["workers"].detail == looked["beat"].detail == "Not known: it stands in the database."
