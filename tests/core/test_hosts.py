"""Whose pages are ours, and where their stream is."""

from typing import Any

import pytest

from apps.core.hosts import is_our_origin, live_url_for

OURS = ["http://10.1.2.3:8000", "http://localhost:8000", "http://[::1]:8000", "http://desk.example.com:8000"]
THEIRS = [
    "",
    "null",
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:8000",
    "http://evil.example:8000",
    "http://localhost.evil.example:8000",
    "http://localhost:8000@evil.example",
    "http://[::1",
    "http://localhost:99999",
]


@pytest.fixture(autouse=True)
def _names(settings: Any) -> None:
    settings.SITE_URL = "http://10.1.2.3:8000"
    settings.LIVE_URL = "http://10.1.2.3:8001"
    settings.ALLOWED_HOSTS = ["10.1.2.3", "localhost", "[::1]", ".example.com"]


@pytest.mark.parametrize("origin", OURS)
def test_a_page_under_any_of_our_names_is_ours(origin: str) -> None:
    assert is_our_origin(origin)


@pytest.mark.parametrize("origin", THEIRS)
def test_no_other_page_is(origin: str) -> None:
    assert not is_our_origin(origin)


def test_a_desk_that_answers_to_every_name_believes_only_its_own(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert is_our_origin("http://10.1.2.3:8000")
    assert not is_our_origin("http://evil.example:8000")


@pytest.mark.parametrize(
    ("host", "stream"),
    [
        ("10.1.2.3:8000", "http://10.1.2.3:8001"),
        ("localhost:8000", "http://localhost:8001"),
        ("[::1]:8000", "http://[::1]:8001"),
    ],
)
def test_the_stream_is_where_the_cookie_goes(host: str, stream: str) -> None:
    assert live_url_for(host) == stream


def test_a_stream_with_a_host_of_its_own_stays_there(settings: Any) -> None:
    settings.LIVE_URL = "https://live.example.com"
    assert live_url_for("localhost:8000") == "https://live.example.com"
