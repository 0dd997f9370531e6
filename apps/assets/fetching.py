"""Pictures from addresses that people gave: few at a time, within seconds, and only from the public internet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from urllib.parse import urlsplit

from apps.assets import images
from apps.core import http
from apps.core.errors import Problem

MOST_AT_ONCE = 2  # threads of a process that may wait for hosts of pictures; a person has one of them at most
_HEADERS = {"Accept": "image/jpeg, image/png, image/webp"}
_REDIRECTS = 3
_FIRST_TRY = 0.3  # of the time: a host that is only slow to wake gets the rest

_lock = Lock()
_fetching: set[int] = set()


@dataclass(frozen=True)
class Fetched:
    """What an address gave. `data` is None when it said that nothing has changed."""

    data: bytes | None
    etag: str
    last_modified: str


def fetch(url: str, *, owner_id: int, seconds: float, etag: str = "", last_modified: str = "") -> Fetched:
    """The picture at an address, within `seconds`; with what it said the last time, only if it has changed since.

    Problem 422: image_url_refused, image_unreachable, image_too_large. Problem 429 or 503, with Retry-After: another
    one of the same person, or too many, are being fetched.
    """
    known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = _HEADERS | {name: value for name, value in known.items() if value}
    with _turn(owner_id):
        reply = _reply(url, headers, seconds)
    unchanged = reply.status == HTTPStatus.NOT_MODIFIED and len(headers) > len(_HEADERS)
    if reply.status != HTTPStatus.OK and not unchanged:
        raise _unreachable(f"{urlsplit(url).hostname} answered {reply.status} instead of the image.")
    said = {name: reply.headers.get(name, "") for name in ("ETag", "Last-Modified")}
    return Fetched(
        None if unchanged else reply.body,
        etag=_printable(said["ETag"], 255) or (etag if unchanged else ""),
        last_modified=_printable(said["Last-Modified"], 64) or (last_modified if unchanged else ""),
    )


@contextmanager
def _turn(owner_id: int) -> Iterator[None]:
    """A slow host holds a thread that serves everybody. Nobody waits here: that would hold another one."""
    with _lock:
        if owner_id in _fetching:
            raise _underway()
        if len(_fetching) >= MOST_AT_ONCE:
            raise _occupied()
        _fetching.add(owner_id)
    try:
        yield
    finally:
        with _lock:
            _fetching.discard(owner_id)


def _reply(url: str, headers: dict[str, str], seconds: float) -> http.Reply:
    deadline = time.monotonic() + seconds
    try:
        return _reply_once(url, headers, seconds * _FIRST_TRY)
    except http.HttpFailure as failure:
        if not failure.timed_out:
            raise _problem(failure) from failure
    try:
        return _reply_once(url, headers, deadline - time.monotonic())
    except http.HttpFailure as failure:
        raise _problem(failure) from failure


def _reply_once(url: str, headers: dict[str, str], seconds: float) -> http.Reply:
    return http.send(
        "GET",
        url,
        headers=headers,
        seconds=seconds,
        max_bytes=images.MAX_BYTES,
        public_only=True,
        allow_redirects=_REDIRECTS,
    )


def _printable(value: str, most: int) -> str:
    """A header to send back as it came; one that is too long or odd is not kept."""
    return value if len(value) <= most and value.isascii() and value.isprintable() else ""


def _underway() -> Problem:
    return Problem(
        429,
        "fetch_underway",
        "Another picture of yours is being fetched from its address right now.",
        "Try again in a few seconds.",
        headers={"Retry-After": "3"},
    )


def _occupied() -> Problem:
    return Problem(
        503,
        "fetch_busy",
        "Pictures of others are being fetched from slow hosts right now. Nothing was started.",
        "Try again in a few seconds, or upload the picture: that need not wait.",
        headers={"Retry-After": "3"},
    )


def _problem(failure: http.HttpFailure) -> Problem:
    if isinstance(failure, http.Blocked):
        return Problem(
            422, "image_url_refused", failure.detail, "Use an https:// address on the public internet, or upload it."
        )
    if isinstance(failure, http.TooLarge):
        return images.too_large("20 MB is the most")
    return _unreachable(f"The image cannot be fetched. {failure.detail}")


def _unreachable(detail: str) -> Problem:
    return Problem(
        422, "image_unreachable", detail, "Open the address in a browser to see whether it works, or upload the image."
    )
