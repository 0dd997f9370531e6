"""One's own password, the browsers one is signed in with, and what ends when."""

import threading
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client

from apps.accounts import backend
from apps.accounts.audit import AuditEntry
from apps.accounts.models import ApiToken, BrowserSession, User, find_token
from apps.accounts.sessions import browser_of
from tests.factories import PASSWORD, StaffFactory, UserFactory, token_for

pytestmark = pytest.mark.django_db
NEW = "an entirely new one"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def ada(db: None) -> User:
    return UserFactory()


def signed_in(user: User, agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    sent = {"username": user.username, "password": PASSWORD}
    assert client.post("/signin", sent).status_code == 302
    return client


def change(client: Client, **given: str) -> Any:
    return client.post("/account/password", {"old": PASSWORD, "new": NEW, "again": NEW} | given)


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/130.0 Safari/537.36", "Chrome on macOS"),
        ("curl/8.1", "A program"),
        ("", "A program"),
    ],
)
def test_a_browser_is_named_in_words(agent: str, words: str) -> None:
    assert browser_of(agent) == words


def test_every_browser_is_listed_and_can_be_signed_out(ada: User) -> None:
    here, phone = signed_in(ada), signed_in(ada, IPHONE, "198.51.100.9")
    shown = here.get("/account").content.decode()
    assert "Firefox on Linux" in shown
    assert "Safari on iPhone" in shown
    assert "198.51.100.9" in shown
    assert shown.count("This one") == 1
    row = BrowserSession.objects.get(browser="Safari on iPhone")
    assert here.post(f"/account/browsers/{row.pk}/sign-out").status_code == 302
    assert (is_in(here), is_in(phone)) == (True, False)
    assert AuditEntry.objects.get().action == "sign out a browser"


def test_who_signs_in_over_somebody_else_has_a_session_of_their_own(ada: User) -> None:
    client, other = signed_in(ada), UserFactory()
    client.force_login(other)
    assert is_in(client)
    assert BrowserSession.objects.filter(user=other, session_key=client.session.session_key).exists()


def test_the_browser_of_another_cannot_be_signed_out(ada: User) -> None:
    eve, row = signed_in(UserFactory()), signed_in(ada) and BrowserSession.objects.get(user=ada)
    assert eve.post(f"/account/browsers/{row.pk}/sign-out").status_code == 404
    assert BrowserSession.objects.filter(pk=row.pk).exists()


def test_everywhere_else_is_signed_out_together(ada: User) -> None:
    here, others = signed_in(ada), [signed_in(ada) for _ in range(3)]
    here.post("/account/browsers/sign-out")
    assert (is_in(here), [is_in(one) for one in others]) == (True, [False] * 3)
    assert BrowserSession.objects.filter(user=ada).count() == 1


def test_signing_out_leaves_no_row(ada: User) -> None:
    client = signed_in(ada)
    client.post("/signout")
    assert not BrowserSession.objects.exists()
    assert not Session.objects.exists()


def test_a_password_is_changed_and_every_other_browser_signed_out(ada: User) -> None:
    here, other, (_token, secret) = signed_in(ada), signed_in(ada), token_for(ada)
    before = here.session.session_key
    assert change(here)["Location"] == "/account"
    assert (is_in(here), is_in(other)) == (True, False)
    assert here.session.session_key != before
    assert find_token(secret) is not None, "tokens go on unless they are to end too"
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert BrowserSession.objects.get().session_key == here.session.session_key
    assert AuditEntry.objects.get().action == "change own password"


def test_with_the_password_the_tokens_may_end_too(ada: User) -> None:
    _token, secret = token_for(ada)
    change(signed_in(ada), revoke_tokens="on")
    assert find_token(secret) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"old": "not it"}, "That is not your password."),
        ({"again": "another one"}, "The two new ones are not the same."),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "password123", "again": "password123"}, "too common"),
        ({"old": ""}, "Type the password you have now."),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_changes(ada: User, wrong: dict[str, str], words: str) -> None:
    client = signed_in(ada)
    response = change(client, **wrong)
    assert response.status_code == 422
    assert words in response.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_busy_moment_before_the_new_one_is_hashed_is_said(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, turns = signed_in(ada), threading.Semaphore(1)
    monkeypatch.setattr(turns, "release", lambda: None)  # when the old one was judged, somebody else takes the turn
    monkeypatch.setattr(backend, "_hashing", turns)
    response = change(client)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "Many people are signing in just now." in response.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_who_finds_a_browser_open_cannot_guess_the_password(ada: User) -> None:
    client = signed_in(ada)
    assert [change(client, old=f"guess {number}").status_code for number in range(6)] == [422] * 5 + [429]
    response = change(client)
    assert response.status_code == 429
    assert "Too many wrong passwords. Try again in" in response.content.decode()
    assert int(response["Retry-After"]) > 0


def test_a_reset_by_an_administrator_ends_browsers_and_tokens(ada: User) -> None:
    client, (_token, secret) = signed_in(ada), token_for(ada)
    root = Client()
    root.force_login(StaffFactory(is_superuser=True))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert root.post(f"/admin/accounts/user/{ada.pk}/password/", form).status_code == 302
    assert not is_in(client)
    assert find_token(secret) is None
    assert not BrowserSession.objects.filter(user=ada).exists()


def test_all_tokens_are_revoked_together_and_others_stay(ada: User) -> None:
    secrets, (_token, other) = [token_for(ada)[1] for _ in range(3)], token_for(UserFactory())
    signed_in(ada).post("/account/tokens/revoke")
    assert [find_token(secret) for secret in secrets] == [None] * 3
    assert find_token(other) is not None
    assert AuditEntry.objects.get().subject == "3 tokens"


def test_revoking_asks_first(ada: User) -> None:
    token, _secret = token_for(ada)
    shown = signed_in(ada).get("/account").content.decode()
    asked, _, form = shown.partition(f'id="revoke-{token.pk}"')
    assert f'data-open="revoke-{token.pk}"' in asked
    assert f'action="/account/tokens/{token.pk}/revoke"' not in asked
    assert f'action="/account/tokens/{token.pk}/revoke"' in form
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None


def test_use_is_noted_once_a_minute_and_lengthens_the_session(ada: User) -> None:
    client = signed_in(ada)
    row = BrowserSession.objects.get()
    session = client.session
    session["seen"] -= 61
    session.save()
    assert client.get("/account").cookies["sessionid"]["max-age"] == 72 * 3600
    seen = BrowserSession.objects.get().seen_at
    assert seen > row.seen_at
    client.get("/account")
    assert BrowserSession.objects.get().seen_at == seen


def test_a_session_ends_when_it_is_too_old_however_busy(ada: User, settings: LazySettings) -> None:
    client = signed_in(ada)
    session = client.session
    session["began"] -= settings.SESSION_LONGEST_SECONDS + 1
    session.save()
    assert not is_in(client)
    assert not BrowserSession.objects.exists()


def test_without_a_database_a_signed_in_browser_is_told_so(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(ada)
    client.raise_request_exception = False

    def away(*_arguments: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away, raising=False)
    for path in ("/", "/account", "/signin", "/admin/", "/api/jobs"):
        response = client.get(path)
        assert (response.status_code, response["Retry-After"]) == (503, "5"), path
