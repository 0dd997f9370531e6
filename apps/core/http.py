"""One bounded HTTP request for everybody: a total deadline, a byte limit, an address policy, and no retry.

What can go wrong is drawn in failures.py. Exceptions that are not of that tree (a task's time limit) leave the
outcome of a request unknown. Proxies named in the environment are not used.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import orjson
from urllib3 import HTTPHeaderDict
from urllib3.filepost import encode_multipart_formdata

from apps.core.addresses import AddressRefused, Target, parse_target
from apps.core.exchange import Request, exchange
from apps.core.failures import Blocked, HttpFailure, NoAnswer, NotAStream, NotSent, TooLarge
from apps.core.reply import Reply

__all__ = [
    "Blocked",
    "HttpFailure",
    "NoAnswer",
    "NotAStream",
    "NotSent",
    "Reply",
    "TooLarge",
    "send",
    "stream_lines",
]

FormPart = str | tuple[str, bytes, str]
"""One part of a form: a value, or a file as its name, bytes and media type."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS = {"User-Agent": "Pressroom", "Accept-Encoding": "identity"}


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes | None = None,
    files: Mapping[str, FormPart] | None = None,
    seconds: float,
    max_bytes: int,
    public_only: bool = False,
    allow_redirects: int = 0,
    fresh: bool = False,
    leaves_by: float | None = None,
) -> Reply:
    """Sends one request and reads the whole answer, of any status, within `seconds` from DNS to the last byte.

    `json`, `body` or `files` (a multipart form) is what is sent. `public_only` checks the host's addresses, connects
    to those only, and keeps no connection. For GET and HEAD up to `allow_redirects` hops are followed, each checked
    anew; another origin gets none of the given headers but Accept. `fresh` takes a new connection, so that NotSent
    is exact for a request that costs money; without it, a server that drops a kept connection gives NoAnswer.
    After `leaves_by` (time.monotonic()) nothing is sent any more: NotSent.
    Raises HttpFailure.
    """
    content, media_type = _content(json, body, files)
    request = Request(
        method=method,
        target=_target(url),
        headers=_headers(headers, media_type),
        body=content,
        seconds=seconds,
        deadline=time.monotonic() + seconds,
        max_bytes=max_bytes,
        public_only=public_only,
        fresh=fresh,
        leaves_by=leaves_by,
    )
    reply = _answer(request)
    return _follow(request, url, reply, allow_redirects) if method in {"GET", "HEAD"} else reply


def stream_lines(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes | None = None,
    seconds: float,
    max_bytes: int,
    public_only: bool = False,
) -> Iterator[str]:
    """The lines of a text/event-stream as they come, without their ends, on a new connection; bounds as for `send`.

    Raises HttpFailure, at any line; NotAStream when the answer is not 2xx or not an event stream.
    """
    content, media_type = _content(json, body, None)
    request = Request(
        method=method,
        target=_target(url),
        headers=_headers({"Accept": "text/event-stream", **(headers or {})}, media_type),
        body=content,
        seconds=seconds,
        deadline=time.monotonic() + seconds,
        max_bytes=max_bytes,
        public_only=public_only,
        fresh=True,
    )
    with exchange(request) as answering:
        status, kind = answering.response.status, answering.response.headers.get_content_type()
        if not 200 <= status < 300 or kind != "text/event-stream":
            reply = Reply(status, HTTPHeaderDict(answering.response.getheaders()), answering.body())
            raise NotAStream(f"{request.target.host} answered {status} with {kind}, not with a stream.", reply)
        yield from answering.lines()


def _answer(request: Request) -> Reply:
    with exchange(request) as answering:
        response = answering.response
        return Reply(response.status, HTTPHeaderDict(response.getheaders()), answering.body())


def _follow(request: Request, url: str, reply: Reply, hops: int) -> Reply:
    while hops and reply.status in _REDIRECTS and "Location" in reply.headers:
        hops, url = hops - 1, urljoin(url, _location(reply))
        request = _redirected(request, url)
        try:
            reply = _answer(request)
        except NotSent as error:
            # The first request did reach its server.
            raise NoAnswer(error.detail, timed_out=error.timed_out) from error
    return reply


def _location(reply: Reply) -> str:
    """Where a redirect leads. http.client takes headers for Latin-1; servers write raw UTF-8, as browsers expect."""
    raw = reply.headers["Location"].encode("latin-1", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _redirected(request: Request, url: str) -> Request:
    try:
        target = parse_target(url)
    except AddressRefused as error:
        raise Blocked(f"{request.target.host} redirects to an address that cannot be used. {error}") from error
    if request.target.secure and not target.secure:
        raise Blocked(f"{request.target.host} redirects from https to http.")
    if target.origin == request.target.origin:
        return replace(request, target=target)
    accepted = {name: value for name, value in request.headers.items() if name == "Accept"}
    return replace(request, target=target, headers=accepted | _OWN_HEADERS)


def _target(url: str) -> Target:
    try:
        return parse_target(url)
    except AddressRefused as error:
        raise Blocked(str(error)) from error


def _content(json: Any, body: bytes | None, files: Mapping[str, FormPart] | None) -> tuple[bytes | None, str]:
    if files is not None:
        return encode_multipart_formdata(files)
    if json is not None:
        return orjson.dumps(json), "application/json"
    return body, ""


def _headers(given: Mapping[str, str] | None, media_type: str) -> dict[str, str]:
    described = {"Content-Type": media_type} if media_type else {}
    return {"Accept": "*/*", **(given or {}), **described, **_OWN_HEADERS}
