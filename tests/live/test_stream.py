"""The live stream, from a committed change to a listener on a socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
import requests
from django.utils import timezone

from apps.accounts.models import ApiToken, User, create_token
from apps.jobs import lifecycle
from apps.jobs.announce import CHANNEL
from apps.jobs.models import JobEvent
from apps.jobs.values import NewJob
from apps.studio.rows import create_rows
from tests.factories import WorkspaceFactory
from tests.front.strangers import connect, head
from tests.support.stack import Stack, running, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running(tmp_path_factory.mktemp("live")) as stack:
        stack.web()
        wait_until(lambda: _answers(stack), what="the live process")
        yield stack


def _answers(stack: Stack) -> bool:
    try:
        return requests.get(f"{stack.environment['LIVE_URL']}/health/live", timeout=2).ok
    except requests.RequestException:
        return False


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


@contextmanager
def listening(stack: Stack, user: User, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of an open stream; it is open when the block begins."""
    _token, secret = create_token(user=user, name="test")
    address = f"{stack.environment['LIVE_URL']}/api/events"
    with requests.get(
        address, headers={"Authorization": f"Bearer {secret}", **headers}, stream=True, timeout=10
    ) as reply:
        lines = reply.iter_lines(chunk_size=1)  # one iterator: a second would lose what the first has buffered
        assert next(lines) == b"retry: 2000"
        yield (json.loads(line[6:]) for line in lines if line.startswith(b"data: ") and line != b"data: {}")


def enqueue(user: User, subject: str) -> None:
    lifecycle.enqueue([NewJob(kind="noop", owner_id=user.pk, subject=subject)])


def test_a_change_reaches_its_owner_and_nobody_else(processes: Stack, ada: User) -> None:
    eve = User.objects.create_user("eve")
    with listening(processes, ada) as events:
        enqueue(eve, "row:hers")
        enqueue(ada, "row:his")
        assert next(events)["subject"] == "row:his"


def test_a_stream_resumes_after_the_last_event_seen(processes: Stack, ada: User) -> None:
    enqueue(ada, "row:first")
    seen = JobEvent.objects.get().pk
    enqueue(ada, "row:second")
    with listening(processes, ada, **{"Last-Event-ID": str(seen)}) as events:
        told = [next(events)["subject"], next(events)["subject"]]
    assert told == ["row:first", "row:second"], "what is recent is told again, for commits out of order"


def test_what_was_seen_long_ago_is_not_told_again(processes: Stack, ada: User) -> None:
    enqueue(ada, "row:first")
    seen = JobEvent.objects.get().pk
    JobEvent.objects.update(at=timezone.now() - timedelta(minutes=1))
    enqueue(ada, "row:second")
    with listening(processes, ada, **{"Last-Event-ID": str(seen)}) as events:
        assert next(events)["subject"] == "row:second"


def test_without_a_user_there_is_no_stream(processes: Stack, ada: User) -> None:
    reply = requests.get(f"{processes.environment['LIVE_URL']}/api/events", timeout=5)
    assert (reply.status_code, reply.json()["code"]) == (401, "not_authenticated")


def test_the_page_is_sent_to_the_live_process(processes: Stack, ada: User) -> None:
    _token, secret = create_token(user=ada, name="test")
    reply = requests.get(
        f"{processes.url}/api/events", headers={"Authorization": f"Bearer {secret}"}, allow_redirects=False, timeout=5
    )
    assert (reply.status_code, reply.headers["Location"]) == (307, f"{processes.environment['LIVE_URL']}/api/events")


def test_a_revoked_token_ends_its_open_stream(processes: Stack, ada: User) -> None:
    with listening(processes, ada) as events:
        ApiToken.objects.update(revoked_at=timezone.now())
        assert next(events, None) is None


def test_a_change_by_a_person_is_told_to_its_owner(processes: Stack, ada: User) -> None:
    mine, hers = (WorkspaceFactory(owner=owner) for owner in (ada, User.objects.create_user("eve")))
    with listening(processes, ada) as events:
        create_rows(user=hers.owner, workspace_id=hers.pk, rows=[{}])
        (row,) = create_rows(user=ada, workspace_id=mine.pk, rows=[{}])
        told = next(events)
    assert (told["subject"], told["workspace"]) == (f"row:{row.pk}", str(mine.pk))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "HEAD"])
def test_the_stream_is_only_read(processes: Stack, ada: User, method: str) -> None:
    _token, secret = create_token(user=ada, name="test")
    address = f"{processes.environment['LIVE_URL']}/api/events"
    reply = requests.request(method, address, headers={"Authorization": f"Bearer {secret}"}, timeout=5)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, OPTIONS")


def test_pages_of_ours_may_read_the_stream_and_no_others(processes: Stack, ada: User) -> None:
    port = processes.web_port
    ours = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    for origin in [*ours, "http://evil.example", "http://localhost:1", "null"]:
        reply = requests.options(
            f"{processes.environment['LIVE_URL']}/api/events", headers={"Origin": origin}, timeout=5
        )
        assert reply.headers.get("Access-Control-Allow-Origin") == (origin if origin in ours else None)


def test_a_reader_who_takes_nothing_is_let_go(
    django_db_blocker: Any, ada: User, tmp_path: Path, django_db_setup: None
) -> None:
    _token, secret = create_token(user=ada, name="test")
    with running(tmp_path, PRESSROOM_PIECE_SECONDS="1") as stack:
        stack.web()
        wait_until(lambda: _answers(stack), what="the live process")
        sock = connect(stack.environment["LIVE_URL"], receive_buffer=4096)
        with sock:
            sock.sendall(head(stack.environment["LIVE_URL"], "GET", "/api/events", Authorization=f"Bearer {secret}"))
            assert sock.recv(12) == b"HTTP/1.1 200"
            events = orjson.dumps([{"owner": ada.pk, "id": 1, "job": "x" * 500_000, "subject": ""}])
            with redis.from_url(stack.environment["REDIS_URL"]) as broker:

                def let_go() -> bool:
                    broker.publish(CHANNEL, events)
                    return stack.said("live", "slow_reader_ended")

                wait_until(let_go, what="the reader is let go")
