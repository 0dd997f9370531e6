"""One Redis subscription for the whole process, fanned out in memory to everybody who listens.

Nothing is kept: whoever connects with Last-Event-ID reads what was missed from the database first.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import structlog
from redis.asyncio import Redis

from apps.accounts import access

log = structlog.get_logger(__name__)

MOST_UNREAD = 500
NOTHING = b""
RESYNC = b"event: resync\ndata: {}\n\n"
_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds between tries to reach Redis again


class Listener:
    """One open stream. Whoever reads too slowly is told to load everything again instead of growing the process.

    `doubted`: something was revoked, so whether its reader may still listen is to be asked before anything is told.
    """

    def __init__(self) -> None:
        self.messages: asyncio.Queue[bytes] = asyncio.Queue(MOST_UNREAD)
        self.doubted = False

    def doubt(self) -> None:
        self.doubted = True
        if not self.messages.full():
            self.messages.put_nowait(NOTHING)  # wakes whoever waits for a message

    def put(self, message: bytes) -> None:
        if self.messages.full():
            while not self.messages.empty():
                self.messages.get_nowait()
            message = RESYNC
        self.messages.put_nowait(message)


class Hub:
    def __init__(self, url: str, channel: str) -> None:
        self.url, self.channel = url, channel
        self.closing = asyncio.Event()
        self._of: dict[int, set[Listener]] = defaultdict(set)
        self._read_by: dict[int, set[Listener]] = defaultdict(set)
        self._everybody: set[Listener] = set()
        self._feeder: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, owner_id: int | None, *, reader_id: int) -> AsyncIterator[Listener]:
        """A listener of this reader for one owner's events, or everybody's with None."""
        if self._feeder is None:
            # The reference keeps the task from being collected.
            self._feeder = asyncio.create_task(self._feed())
        listener = Listener()
        group = self._everybody if owner_id is None else self._of[owner_id]
        group.add(listener)
        self._read_by[reader_id].add(listener)
        try:
            yield listener
        finally:
            group.discard(listener)
            if owner_id is not None and not group:
                self._of.pop(owner_id, None)
            self._read_by[reader_id].discard(listener)
            if not self._read_by[reader_id]:
                del self._read_by[reader_id]

    def streams_of(self, reader_id: int) -> int:
        return len(self._read_by.get(reader_id, ()))

    def _doubt(self, reader_id: int) -> None:
        for listener in self._read_by.get(reader_id, ()):
            listener.doubt()

    async def _feed(self) -> None:
        failures = 0
        while not self.closing.is_set():
            try:
                async for events in self._subscribed():
                    failures = 0
                    self._hand_out(events)
            except Exception as error:
                log.warning("live_feed_lost", error=type(error).__name__)
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    async def _subscribed(self) -> AsyncIterator[list[dict[str, object]]]:
        async with (
            Redis.from_url(self.url, socket_connect_timeout=2, health_check_interval=10) as redis,
            redis.pubsub() as feed,
        ):
            await feed.subscribe(self.channel, access.CHANNEL)
            self._tell_all(RESYNC)  # what was published meanwhile is unknown
            while not self.closing.is_set():
                message = await feed.get_message(ignore_subscribe_messages=True, timeout=5)
                if message and message["channel"] == access.CHANNEL.encode():
                    self._doubt(int(message["data"]))
                elif message:
                    yield orjson.loads(message["data"])

    def _hand_out(self, events: list[dict[str, object]]) -> None:
        for event in events:
            owner_id = event.pop("owner")
            message = encode(event)
            for listener in (*self._of.get(owner_id, ()), *self._everybody):  # type: ignore[call-overload]
                listener.put(message)

    def _tell_all(self, message: bytes) -> None:
        for group in (*self._of.values(), self._everybody):
            for listener in group:
                listener.put(message)


def encode(event: dict[str, object]) -> bytes:
    """A message without an id of its own (a text that is being written) leaves the browser's Last-Event-ID as it is."""
    if "workspace" in event:
        return b"event: edited\ndata: %s\n\n" % orjson.dumps(event)
    if not event["id"]:
        return b"data: %s\n\n" % orjson.dumps(event)
    return b"id: " + str(event["id"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
