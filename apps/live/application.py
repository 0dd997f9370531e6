"""`GET /api/events` as Server-Sent Events, in plain ASGI: no framework stands between Redis and the browser.

`Last-Event-ID` (or `?after=`) resumes. Each message is `{id, job, subject, status, stage}`; `event: resync` says that
something may have been missed, and everything should be read again; `event: edited` that a person changed a row;
`event: beat` that the stream is there. `{id: 0, job, subject, partial}` is a text that is
being written: the whole of it so far, kept nowhere.
"""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

import orjson
import structlog
from django.conf import settings

from apps.core.client import client_address
from apps.core.errors import Problem
from apps.core.hosts import is_our_origin
from apps.jobs.announce import CHANNEL
from apps.live.access import missed, user_of
from apps.live.hub import NOTHING, RESYNC, Hub, Listener, encode

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
T = TypeVar("T")

log = structlog.get_logger(__name__)
KEEP_ALIVE_SECONDS = 15.0
BEAT = b"event: beat\ndata: {}\n\n"  # a comment would keep the line open too, but a browser cannot see one
_EVENT_ID = re.compile(r"[0-9]{1,18}")
_UNHEARD_OF = 2**63 - 1  # what is resumed after and is no id of ours was seen elsewhere
_UNAUTHORISED = Problem(
    401,
    "not_authenticated",
    "This stream needs a signed-in user or a token.",
    "Sign in, or send Authorization: Bearer.",
)
_TOO_MANY = Problem(
    429,
    "too_many_streams",
    f"{settings.STREAMS_EACH} streams of this account are open already.",
    "Close one, or let your programs share one.",
    headers={"Retry-After": "10"},
)
# Who asks is looked up beside what somebody else missed: a long replay holds up no newcomer.
_callers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="callers")
_replays = ThreadPoolExecutor(max_workers=2, thread_name_prefix="replays")
_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()  # a reader's replays, one at a time
_doors: WeakValueDictionary[str, asyncio.Lock] = (
    WeakValueDictionary()
)  # an address's callers, too: hundreds hold up no other

_hub: Hub | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)


def hub() -> Hub:
    global _hub
    if _hub is None:
        _hub = Hub(settings.REDIS_URL, CHANNEL)
    return _hub


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _end_streams_on_term()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _end_streams_on_term() -> None:
    """The server waits for open connections before it tells of a shutdown, so the streams watch the signal themselves."""
    before, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()

    def on_term(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(hub().closing.set)
        if callable(before):
            before(number, frame)

    try:
        signal.signal(signal.SIGTERM, on_term)
    except ValueError:  # not the main thread: the server's own kill time-out ends the streams
        return


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    send = _guarded(send, origin=headers.get("origin", ""))
    answer = _without_stream(scope)
    try:
        if answer is None:
            await _open(scope, headers, receive, send)
        else:
            await _answer(send, *answer)
    except TimeoutError:
        log.info("slow_reader_ended", path=scope["path"][:200])  # whoever takes nothing is not waited for


def _guarded(send: Send, *, origin: str) -> Send:
    """`send` that lets a page of ours read the answer, and raises TimeoutError when the client takes nothing of it."""
    allowed = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-headers", b"authorization, last-event-id"),
    ]

    async def guarded(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and is_our_origin(origin):
            message["headers"] = [*message["headers"], *allowed]
        async with asyncio.timeout(settings.PIECE_SECONDS):
            await send(message)

    return guarded


def _without_stream(scope: Scope) -> tuple[int, bytes] | None:
    """What is answered without opening a stream."""
    if scope["path"] == "/health/live":
        return 200, b'{"status":"ok"}'
    if scope["path"] != "/api/events":
        return 404, b'{"status":404,"code":"not_found","detail":"Only /api/events is served here."}'
    if scope["method"] not in {"GET", "OPTIONS"}:
        return 405, b'{"status":405,"code":"method_not_allowed","detail":"The stream is read with GET."}'
    return (204, b"") if scope["method"] == "OPTIONS" else None


async def _open(scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
    address = _address_of(scope, headers)
    door = _doors.setdefault(address, asyncio.Lock())
    try:
        async with door:
            user = await _in_thread(_callers, user_of, headers, address)
    except Problem as problem:
        await _refuse(send, problem)
        return
    if user is None:
        await _refuse(send, _UNAUTHORISED)
        return
    if hub().streams_of(user.pk) >= settings.STREAMS_EACH:
        await _refuse(send, _TOO_MANY)
        return
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    everybody = user.is_staff and query.get("all") == ["1"]
    after = headers.get("last-event-id") or query.get("after", [""])[0]

    async def welcome() -> bool:
        """Whether the token or session still stands: it may be revoked, and the user dismissed, while a stream is open."""
        now = await _in_thread(_callers, user_of, headers, address)
        return now is not None and now.pk == user.pk and (now.is_staff or not everybody)

    known = int(after) if _EVENT_ID.fullmatch(after) else _UNHEARD_OF if after else None
    owner_id = None if everybody else user.pk
    async with hub().listening(owner_id, reader_id=user.pk) as listener:
        await send({"type": "http.response.start", "status": 200, "headers": _headers(b"text/event-stream")})
        await _write(send, b"retry: 2000\n\n")
        if known is not None:
            await _catch_up(owner_id, known, user.pk, send)
        gone = asyncio.create_task(_disconnected(receive))
        closing = asyncio.create_task(hub().closing.wait())
        try:
            await _pass_on(listener, send, gone, closing, welcome)
        finally:
            gone.cancel()
            closing.cancel()


async def _catch_up(owner_id: int | None, after: int, reader_id: int, send: Send) -> None:
    """Read after the listener is in place: what happens meanwhile comes twice rather than never."""
    turn = _turns.setdefault(reader_id, asyncio.Lock())
    async with turn:
        found = await _in_thread(_replays, missed, owner_id, after)
    if found.events is None:
        await _write(send, b"id: %d\n" % found.newest + RESYNC)  # the client resumes from here from now on
    else:
        await _write(send, b"".join(encode(event) for event in found.events))


async def _pass_on(
    listener: Listener,
    send: Send,
    gone: asyncio.Task[None],
    closing: asyncio.Task[Any],
    welcome: Callable[[], Awaitable[bool]],
) -> None:
    ask_again = time.monotonic() + settings.LIVE_RECHECK_SECONDS
    while True:
        message = asyncio.create_task(listener.messages.get())
        done, _ = await asyncio.wait(
            {message, gone, closing},
            timeout=min(KEEP_ALIVE_SECONDS, settings.LIVE_RECHECK_SECONDS),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if gone in done or closing in done:
            message.cancel()
            if closing in done:
                await _write(send, b"", more=False)
            return
        if listener.doubted or time.monotonic() > ask_again:
            listener.doubted = False  # before asking: what is revoked meanwhile is a doubt of its own
            if not await welcome():
                message.cancel()
                await _write(send, b"", more=False)
                return
            ask_again = time.monotonic() + settings.LIVE_RECHECK_SECONDS
        if message in done:
            if message.result() != NOTHING:
                await _write(send, message.result())
        else:
            message.cancel()
            await _write(send, BEAT)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _in_thread(pool: ThreadPoolExecutor, read: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, read, *arguments)


def _address_of(scope: Scope, headers: dict[str, str]) -> str:
    peer = scope.get("client") or ("", 0)
    return client_address({"REMOTE_ADDR": peer[0], "HTTP_X_FORWARDED_FOR": headers.get("x-forwarded-for", "")})


async def _refuse(send: Send, problem: Problem) -> None:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "action": problem.action,
    }
    more = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await _answer(send, problem.status, orjson.dumps(body), more)


async def _answer(send: Send, status: int, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    headers = [*_headers(b"application/problem+json" if status >= 400 else b"application/json"), *more]
    if status == 405:
        headers.append((b"allow", b"GET, OPTIONS"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _write(send, body, more=False)


def _headers(content_type: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", content_type),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"vary", b"origin"),
    ]
