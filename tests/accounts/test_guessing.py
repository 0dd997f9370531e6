"""Guessing passwords and keys: slow, told in the log, and nobody is shut out by a stranger."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import LazySettings, settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.test import Client, RequestFactory

from apps.accounts import backend, tries
from apps.accounts.backend import SignInRefused
from apps.accounts.models import ApiToken, User
from apps.accounts.tries import Limit
from apps.core.broker import Hints
from apps.core.client import client_address
from tests.factories import PASSWORD, UserFactory, token_for

pytestmark = pytest.mark.django_db
AWAY = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True, params=["redis", "away"])
def _counted_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything here holds with Redis and without."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    monkeypatch.setattr(tries, "_memory", tries._Memory())
    if request.param == "away":
        monkeypatch.setattr(tries, "hints", Hints(AWAY))
    for key in client.scan_iter("pressroom:tries:*"):
        client.delete(key)
    yield
    for key in client.scan_iter("pressroom:tries:*"):
        client.delete(key)


@pytest.fixture(autouse=True)
def _quick_hashes(settings: LazySettings) -> None:
    """Hundreds of passwords are judged here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def person(**fields: Any) -> User:
    return UserFactory(password=make_password(PASSWORD), **fields)


def sign_in(name: str, password: str = "wrong", address: str = "192.0.2.1", **more: Any) -> Any:
    return Client(REMOTE_ADDR=address).post("/signin", {"username": name, "password": password, **more})


def statuses(times: int, name: str, **how: Any) -> list[int]:
    return [sign_in(name, **how).status_code for _ in range(times)]


def test_after_five_wrong_passwords_one_waits_and_is_told_how_long() -> None:
    ada = person()
    assert statuses(5, ada.username) == [200] * 5
    refused = sign_in(ada.username, PASSWORD)
    assert refused.status_code == 429, "the right password is not looked at either"
    assert 1 <= int(refused["Retry-After"]) <= 10
    assert "Too many wrong passwords. Try again in" in refused.content.decode()
    assert refused.wsgi_request.user.is_anonymous


def test_waits_grow_up_to_five_minutes_and_being_refused_does_not_lengthen_them() -> None:
    limit = Limit("a test", free=2, first=10, most=300)
    begun = []
    for _ in range(8):
        begun.append(tries.count(limit).begun)
        refused = tries.count(limit) if begun[-1] else tries.Answer(0, 0)
        assert refused.begun == 0
        assert refused.wait <= begun[-1]
        _wait_is_over(limit)
    assert begun == [0, 10, 20, 40, 80, 160, 300, 300]


def _wait_is_over(limit: Limit) -> None:
    redis.Redis.from_url(settings.REDIS_URL).hdel(limit.name, "until")
    if limit.name in tries._memory._counts:
        tried, _until, last = tries._memory._counts[limit.name]
        tries._memory._counts[limit.name] = (tried, 0.0, last)


def test_a_right_password_forgets_the_wrong_ones() -> None:
    ada = person()
    for _ in range(3):
        assert statuses(4, ada.username) == [200] * 4
        assert sign_in(ada.username, PASSWORD).status_code == 302


def test_a_stranger_does_not_shut_a_person_out() -> None:
    ada = person()
    assert sign_in(ada.username, PASSWORD, address="198.51.100.7").status_code == 302
    for number in range(12):  # from many addresses, past the account's own limit
        statuses(5, ada.username, address=f"203.0.113.{number}")
    assert sign_in(ada.username, PASSWORD, address="203.0.113.99").status_code == 429
    assert sign_in(ada.username, PASSWORD, address="198.51.100.7").status_code == 302


def test_an_address_that_tries_many_names_waits() -> None:
    assert [sign_in(f"nobody{number}").status_code for number in range(31)] == [200] * 30 + [429]
    assert sign_in("somebody", address="192.0.2.2").status_code == 200


def test_an_own_account_does_not_wash_the_address_clean() -> None:
    eve = person()
    for number in range(29):
        sign_in(f"nobody{number}")
    assert sign_in(eve.username, PASSWORD).status_code == 302
    assert [sign_in(f"other{number}").status_code for number in range(2)] == [200, 429]


def test_many_at_once_are_no_more_than_many_in_a_row() -> None:
    limit = Limit("a race", free=5, first=10, most=300)
    start = threading.Barrier(40)

    def race(_number: int) -> float:
        start.wait()
        return tries.count(limit).wait

    with ThreadPoolExecutor(40) as pool:
        assert [wait > 0 for wait in pool.map(race, range(40))].count(False) == 5


def test_the_administration_has_the_same_door(client: Client) -> None:
    person(username="sam", is_staff=True)
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/signin?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "sam", "password": PASSWORD}).status_code == 405
    assert sign_in("sam", PASSWORD, next="/admin/")["Location"] == "/admin/"


def test_who_is_not_staff_is_told_so_by_the_administration(client: Client) -> None:
    client.force_login(UserFactory())
    response = client.get("/admin/accounts/budget/add/", follow=True)
    assert response.status_code == 403
    assert "It takes a permission that this account does not have." in response.content.decode()


def test_not_all_threads_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_hashing", threading.BoundedSemaphore(1))
    ada = person()
    with backend._hashing:
        refused = sign_in(ada.username, PASSWORD)
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert "Many people are signing in just now." in refused.content.decode()
    assert sign_in(ada.username, PASSWORD).status_code == 302, "a busy moment is no wrong password"


def test_the_log_tells_of_it_without_passwords_and_mistyped_names(caplog: pytest.LogCaptureFixture) -> None:
    ada = person()
    sign_in(ada.username, "my secret pass")
    sign_in("my secret pass", "x")
    told = caplog.text
    assert f"'account': '{ada.username}'" in told
    assert "192.0.2.1" in told
    assert "(nobody)" in told
    assert "my secret pass" not in told


def test_keys_that_nobody_has_are_refused_more_and_more_slowly(settings: LazySettings) -> None:
    settings.CRON_SECRETS = ["the secret"]
    _token, secret = token_for(person())

    def ask(path: str, key: str, method: str = "get") -> int:
        caller = Client(REMOTE_ADDR="192.0.2.3" if method == "get" else "192.0.2.5", HTTP_AUTHORIZATION=f"Bearer {key}")
        return getattr(caller, method)(path).status_code

    assert [ask("/api/jobs", f"pr_live_{number}") for number in range(61)] == [401] * 60 + [429]
    assert ask("/api/jobs", secret) == 200, "others behind the same address go on"
    assert [ask("/api/dispatch", f"guess{number}", "post") for number in range(61)][-2:] == [401, 429]
    assert ask("/api/dispatch", "the secret", "post") == 200


def test_a_token_that_has_ended_is_no_guess() -> None:
    token, secret = token_for(person())
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=token.created_at)
    caller = Client(REMOTE_ADDR="192.0.2.4", HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert {caller.get("/api/jobs").status_code for _ in range(65)} == {401}


@pytest.mark.parametrize(
    ("behind", "forwarded", "remote", "address"),
    [
        (False, "198.51.100.1", "192.0.2.1", "192.0.2.1"),
        (True, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (True, "", "10.0.0.1", "10.0.0.1"),
        (False, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (False, "", "::ffff:192.0.2.1", "192.0.2.1"),
        (False, "", "", ""),
        (True, "nonsense", "10.0.0.1", ""),
    ],
)
def test_the_address_is_the_proxys_word_only_behind_a_proxy(
    settings: LazySettings, behind: bool, forwarded: str, remote: str, address: str
) -> None:
    settings.BEHIND_PROXY = behind
    assert client_address({"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": remote}) == address


def test_the_backend_refuses_whatever_asks_it() -> None:
    ada, request = person(), RequestFactory().get("/", REMOTE_ADDR="192.0.2.9")
    for _ in range(5):
        assert authenticate(request, username=ada.username, password="wrong") is None
    with pytest.raises(SignInRefused):
        authenticate(request, username=ada.username, password=PASSWORD)
