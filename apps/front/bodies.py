"""Reads a request's body in the event loop, under a size and a least rate, before any thread is taken."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from aiohttp.web import BaseRequest, RequestPayloadError
from django.conf import settings

from apps.core.errors import Problem
from apps.front import limits
from apps.front.limits import Shares
from apps.front.refusals import Refused, body_too_slow, busy, no_room, unreadable

# Apart, so that uploads that fill theirs keep nobody from signing in or pressing Generate.
_held_of_uploads = Shares(total=limits.UPLOADS_BYTES, each=limits.UPLOADS_BYTES_EACH)
_held_of_others = Shares(total=limits.BODIES_BYTES, each=limits.BODIES_BYTES_EACH)


@dataclass(frozen=True)
class Body:
    file: IO[bytes]
    size: int  # bytes


@asynccontextmanager
async def whole_body(request: BaseRequest, *, most: tuple[int, Problem], network: str) -> AsyncIterator[Body]:
    """The body, at its start, kept while the block runs.

    Raises Refused: 413 above `most` bytes, 408 below the least rate, 503 when too much is held already.
    """
    if not request.can_read_body:
        yield Body(BytesIO(), 0)
        return
    most_bytes, said = most
    if (request.content_length or 0) > most_bytes:
        raise Refused(said)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    held = _held_of_uploads if most_bytes > settings.DATA_UPLOAD_MAX_MEMORY_SIZE else _held_of_others
    size = 0
    loop, grace = asyncio.get_running_loop(), settings.BODY_GRACE_SECONDS
    deadline = loop.time() + grace
    with tempfile.SpooledTemporaryFile(max_size=limits.SPOOL_BYTES) as file:
        try:
            while not request.content.at_eof():
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await request.content.readany()
                except TimeoutError:
                    raise body_too_slow() from None
                except RequestPayloadError:
                    raise unreadable("The request's body is not well-formed.") from None
                if size + len(chunk) > most_bytes:
                    raise Refused(said)
                if not held.take(network, len(chunk)):
                    raise busy("Too much is being uploaded at the moment.")
                size += len(chunk)
                # Each byte buys time at the least rate, but never more than the grace from now on: who was fast at
                # first could otherwise stop for three quarters of an hour before the last byte of a large picture.
                deadline = min(deadline + len(chunk) / limits.BODY_RATE, loop.time() + grace)
                try:
                    file.write(chunk)
                except OSError:
                    raise no_room() from None
            file.seek(0)
            yield Body(file, size)
        finally:
            held.give(network, size)
