"""What a stranger holds open keeps nobody else waiting."""

from contextlib import ExitStack

import pytest
import requests
from django.db import connection, transaction

from apps.front.limits import CONNECTIONS_EACH, REQUEST_THREADS, REQUESTS_EACH
from apps.studio.models import Workspace
from tests.front.strangers import KINDS, answer_of, begin, begin_whole, connect, head, holding, is_open
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
PATIENT = 60  # seconds; a busy machine is no failure


def everybody_is_answered(url: str, token: str) -> None:
    assert requests.get(f"{url}/health/live", timeout=PATIENT).json() == {"status": "ok"}
    assert requests.get(f"{url}/health/ready", timeout=PATIENT).json() == {"status": "ok"}
    assert "Sign in" in requests.get(f"{url}/signin", timeout=PATIENT).text
    counted = requests.get(
        f"{url}/api/jobs/pending-count", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENT
    )
    assert counted.status_code == 200


@pytest.mark.parametrize("count", [4, 50])
@pytest.mark.parametrize("kind", KINDS)
def test_slow_clients_keep_nobody_waiting(processes: Stack, token: str, picture: str, kind: str, count: int) -> None:
    with holding(processes.url, kind, count, token=token, picture=picture) as slow:
        everybody_is_answered(processes.url, token)
        if kind != "reader":
            assert all(is_open(sock) for sock in slow), "the slow ones were held all the while"


def test_health_is_answered_while_every_thread_is_busy(processes: Stack, token: str) -> None:
    """Twelve requests wait for a table that somebody has locked, each for five seconds, four at a time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE accounts_api_token IN ACCESS EXCLUSIVE MODE")
        waiting = [begin_whole(processes.url, "GET", "/api/jobs/pending-count", token) for _ in range(12)]
        assert requests.get(f"{processes.url}/health/live", timeout=PATIENT).json() == {"status": "ok"}
        assert requests.get(f"{processes.url}/health/ready", timeout=PATIENT).json() == {"status": "ok"}
        assert any(is_open(sock) for sock in waiting), "some had to wait all the while"
    for sock in waiting:
        sock.settimeout(PATIENT)
        assert sock.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503")
        sock.close()


def test_a_change_that_was_sent_whole_is_made_though_its_client_leaves(processes: Stack, token: str) -> None:
    """Every thread waits for a table that somebody has locked, so the change stands in line when its client goes."""
    body = b'{"name": "Left at once"}' + b" " * 100_000  # so large that it lies in a file meanwhile
    length = {"Content_Length": str(len(body)), "Content_Type": "application/json"}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE providers_spend IN ACCESS EXCLUSIVE MODE")
        waiting = [begin_whole(processes.url, "GET", "/api/spend", token) for _ in range(REQUEST_THREADS)]
        wait_until(lambda: _waiting_for_a_lock() == REQUEST_THREADS, what="every thread is busy")
        with connect(processes.url) as sock:
            sock.sendall(head(processes.url, "POST", "/api/workspaces", Authorization=f"Bearer {token}", **length))
            sock.sendall(body)
        assert requests.get(f"{processes.url}/health/live", timeout=PATIENT).ok
    for sock in waiting:
        sock.close()
    wait_until(lambda: Workspace.objects.filter(name="Left at once").exists(), seconds=PATIENT, what="it is made")


def _waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'providers_spend'::regclass")
        return int(cursor.fetchone()[0])


def test_one_address_cannot_take_everything(processes: Stack, token: str) -> None:
    """127.0.0.2 plays a stranger: 300 connections, each with a request that does not end."""
    with ExitStack() as stack:
        for number in range(300):
            try:
                sock = begin(processes.url, "signin", source="127.0.0.2")
            except ConnectionError:
                assert number >= CONNECTIONS_EACH, "closed while it was still writing"
                continue
            stack.enter_context(sock)
        everybody_is_answered(processes.url, token)
        with connect(processes.url, source="127.0.0.2") as one_more:
            head_of_it, _, words = answer_of(one_more).partition(b"\r\n\r\n")
        assert words.startswith(b"Too many connections are open from here")
        assert b"Content-Length: %d\r\n" % len(words) in head_of_it


def test_one_address_has_so_many_requests_at_once(processes: Stack, token: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(begin(processes.url, "signin", source="127.0.0.3")) for _ in range(REQUESTS_EACH)]
        everybody_is_answered(processes.url, token)
        with connect(processes.url, source="127.0.0.3") as one_more:
            one_more.sendall(head(processes.url, "GET", "/api/jobs", Connection="close"))
            answer = answer_of(one_more)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 5" in answer
        assert b'"code":"busy"' in answer
        assert all(is_open(sock) for sock in slow)
