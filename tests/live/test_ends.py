"""What ends an open stream at once, how many one person may have, and whom a long replay holds up.

The streams here ask again by themselves after an hour only: what ends them sooner was told.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
import redis
import requests
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import ApiToken, BrowserSession, User
from apps.jobs.models import JobEvent
from tests.factories import PASSWORD, StaffFactory, UserFactory, token_for
from tests.live.test_stream import _answers, enqueue
from tests.support.stack import Stack, running, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
NEW = "an entirely new one"
PATIENCE = 100  # seconds without a byte; a beat comes every 15


@pytest.fixture(scope="module")
def patient(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("patient")
    with django_db_blocker.unblock(), running(folder, PRESSROOM_LIVE_RECHECK_SECONDS="3600") as stack:
        stack.web()
        wait_until(lambda: _answers(stack), what="the live process")
        yield stack


@pytest.fixture
def ada(transactional_db: None) -> User:
    return UserFactory(username="ada")


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was counted here is not counted against the next tests, which come from the same address."""
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter("pressroom:tries:*"):
            client.delete(key)


@contextmanager
def stream(stack: Stack, query: str = "", **headers: str) -> Iterator[requests.Response]:
    address = f"{stack.environment['LIVE_URL']}/api/events{query}"
    with requests.get(address, headers=headers, stream=True, timeout=PATIENCE) as reply:
        yield reply


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def cookie(client: Client) -> dict[str, str]:
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ends(lines: Iterator[bytes]) -> bool:
    """Whether the server closes the stream before it says that it is still there."""
    return all(line != b"event: beat" for line in lines)


def _root() -> Client:
    return signed_in(StaffFactory(is_superuser=True))


def _admin_form(user: User, **fields: str) -> dict[str, str]:
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return {"username": user.username, "email": user.email, **joined, **fields}


TOKEN_ENDS: dict[str, Callable[[User, ApiToken], object]] = {
    "revoked on the page": lambda ada, token: signed_in(ada).post(f"/account/tokens/{token.pk}/revoke"),
    "all revoked": lambda ada, token: signed_in(ada).post("/account/tokens/revoke"),
    "revoked in the admin": lambda ada, token: _root().post(
        "/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": str(token.pk)}
    ),
    "deleted": lambda ada, token: token.delete(),
    "dismissed in the admin": lambda ada, token: _root().post(
        f"/admin/accounts/user/{ada.pk}/change/", _admin_form(ada)
    ),
    "password reset": lambda ada, token: _root().post(
        f"/admin/accounts/user/{ada.pk}/password/",
        {"password1": NEW, "password2": NEW, "usable_password": "true"},
    ),
    "deleted user": lambda ada, token: ada.delete(),
}
SESSION_ENDS: dict[str, Callable[[User, Client], object]] = {
    "signed out": lambda ada, client: client.post("/signout"),
    "signed out from elsewhere": lambda ada, client: signed_in(ada).post(
        f"/account/browsers/{BrowserSession.objects.earliest('pk').pk}/sign-out"
    ),
    "everywhere else": lambda ada, client: signed_in(ada).post("/account/browsers/sign-out"),
    "password changed": lambda ada, client: signed_in(ada).post(
        "/account/password", {"old": PASSWORD, "new": NEW, "again": NEW}
    ),
    "dismissed": lambda ada, client: _root().post(f"/admin/accounts/user/{ada.pk}/change/", _admin_form(ada)),
}


@pytest.mark.parametrize("end", TOKEN_ENDS)
def test_a_tokens_stream_ends_at_once_when_it_is(patient: Stack, ada: User, end: str) -> None:
    token, secret = token_for(ada)
    with stream(patient, **bearer(secret)) as reply:
        lines = reply.iter_lines(chunk_size=1)
        assert next(lines) == b"retry: 2000"
        TOKEN_ENDS[end](ada, token)
        assert ends(lines)


@pytest.mark.parametrize("end", SESSION_ENDS)
def test_a_browsers_stream_ends_at_once_when_it_is(patient: Stack, ada: User, end: str) -> None:
    client = signed_in(ada)
    with stream(patient, **cookie(client)) as reply:
        lines = reply.iter_lines(chunk_size=1)
        assert next(lines) == b"retry: 2000"
        SESSION_ENDS[end](ada, client)
        assert ends(lines)


def test_who_is_staff_no_more_hears_everybody_no_more(patient: Stack, ada: User) -> None:
    sam = StaffFactory()
    _token, secret = token_for(sam)
    with stream(patient, "?all=1", **bearer(secret)) as reply:
        lines = reply.iter_lines(chunk_size=1)
        assert next(lines) == b"retry: 2000"
        sam.is_staff = False
        sam.save()
        assert ends(lines)


def test_the_others_streams_of_the_same_person_go_on(patient: Stack, ada: User) -> None:
    (gone, first), (_kept, second) = token_for(ada), token_for(ada)
    with stream(patient, **bearer(first)) as ended, stream(patient, **bearer(second)) as stays:
        ended_lines, lines = ended.iter_lines(chunk_size=1), stays.iter_lines(chunk_size=1)
        assert next(ended_lines) == next(lines) == b"retry: 2000"
        signed_in(ada).post(f"/account/tokens/{gone.pk}/revoke")
        assert ends(ended_lines)
        enqueue(ada, "row:after")
        assert any(b"row:after" in line for line in lines)


def test_one_person_has_twenty_streams_and_is_told(patient: Stack, ada: User) -> None:
    _token, secret = token_for(ada)
    _other, hers = token_for(UserFactory())
    with ExitStack() as streams:
        opened = [streams.enter_context(stream(patient, **bearer(secret))) for _ in range(settings.STREAMS_EACH)]
        assert {reply.status_code for reply in opened} == {200}
        with stream(patient, **bearer(secret)) as refused:
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert "20 streams of this account are open already." in refused.json()["detail"]
            assert refused.headers["Retry-After"] == "10"
        with stream(patient, **bearer(hers)) as another:
            assert another.status_code == 200
        opened[0].close()

        def there_is_room() -> bool:
            with stream(patient, **bearer(secret)) as again:
                return again.status_code == 200

        wait_until(there_is_room, what="room for one more")


def test_a_persons_replays_take_turns_and_hold_up_nobody_else(patient: Stack, ada: User) -> None:
    enqueue(ada, "row:seen")
    _token, secret = token_for(ada)
    _other, hers = token_for(UserFactory())
    database = connection.get_connection_params() | {"options": ""}
    wanted = {name: database[name] for name in ("dbname", "user", "host", "port") if database.get(name)}
    with psycopg.connect(**wanted) as locker, ExitStack() as streams:
        locker.execute("LOCK TABLE jobs_event IN ACCESS EXCLUSIVE MODE")  # every replay waits for this
        for _ in range(6):
            replay = streams.enter_context(stream(patient, **bearer(secret), **{"Last-Event-ID": "0"}))
            assert next(replay.iter_lines(chunk_size=1)) == b"retry: 2000"
        wait_until(lambda: _waiting_for_the_lock() == 1, what="one replay waiting")
        with stream(patient, **bearer(hers)) as another:
            assert next(another.iter_lines(chunk_size=1)) == b"retry: 2000"
        assert _waiting_for_the_lock() <= 1
        locker.rollback()


def _waiting_for_the_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%jobs_event%%'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("seen", ["ahead", "999999999999999999", "99999999999999999999", "abc"])
def test_what_was_seen_elsewhere_is_told_to_load_again(patient: Stack, ada: User, seen: str) -> None:
    """After a restore the client may have seen events that are not ours, and was told nothing."""
    enqueue(ada, "row:first")
    newest = JobEvent.objects.latest("pk").pk
    _token, secret = token_for(ada)
    resumed = str(newest + 1000) if seen == "ahead" else seen
    with stream(patient, **bearer(secret), **{"Last-Event-ID": resumed}) as reply:
        lines = reply.iter_lines(chunk_size=1)
        told = [next(lines) for _ in range(5)]
        # The hub may say it too, right after it has subscribed.
        told = told if b"id: %d" % newest in told else [*told, next(lines), next(lines), next(lines)]
    assert told[told.index(b"id: %d" % newest) + 1] == b"event: resync"


def test_who_guesses_tokens_is_refused(patient: Stack, transactional_db: None, forgotten: None) -> None:
    statuses = []
    while 429 not in statuses and len(statuses) < 200:
        with stream(patient, **bearer(f"pr_live_{len(statuses)}")) as reply:
            statuses.append(reply.status_code)
    assert set(statuses) == {401, 429}
