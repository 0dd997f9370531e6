"""Sends an answer from the event loop. A slow reader costs a connection and one piece of the answer, never a thread."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import structlog
from aiohttp import web
from django.conf import settings
from multidict import CIMultiDict

from apps.front.limits import PIECE_BYTES
from apps.front.refusals import OWN
from apps.front.threads import Answer

log = structlog.get_logger(__name__)
# Borrowed for the reading of one piece of a file, or the making of one piece of a stream.
_borrowed = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pieces")
_BY_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "upgrade"}  # not the application's to say


class SlowReader(ConnectionError):
    """The client did not take a piece of the answer in time; its connection is ended."""


async def send(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Sends all of it and returns when the system has taken the last byte. Raises SlowReader, ConnectionError."""
    headers = CIMultiDict(pair for pair in answer.headers if pair[0].lower() not in _BY_CONNECTION)
    headers["Server"] = OWN["Server"]
    try:
        if answer.pieces is None and len(answer.body) <= PIECE_BYTES:
            response: web.StreamResponse = web.Response(
                status=answer.status, reason=answer.reason, headers=headers, body=answer.body
            )
            await in_time(request, response)
            return response
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
        await response.prepare(request)
        if request.method != "HEAD":
            async with aclosing(_pieces(answer)) as pieces:
                async for piece in pieces:
                    await in_time(request, response, piece)
        await in_time(request, response)
        return response
    finally:
        if answer.close:
            await asyncio.get_running_loop().run_in_executor(_borrowed, answer.close)


async def in_time(request: web.BaseRequest, response: web.StreamResponse, piece: bytes | None = None) -> None:
    """Sends a piece, or what is left with None, and waits until it has left this process."""
    try:
        async with asyncio.timeout(settings.PIECE_SECONDS):
            if piece is None:
                await response.prepare(request)
                await response.write_eof()
            else:
                await response.write(piece)
            await request.writer.drain()
    except TimeoutError:
        log.info("slow_reader_ended", path=request.path[:200])
        if request.transport is not None:
            request.transport.abort()
        raise SlowReader from None


async def _pieces(answer: Answer) -> AsyncGenerator[bytes]:
    if answer.pieces is None:
        for start in range(0, len(answer.body), PIECE_BYTES):
            yield answer.body[start : start + PIECE_BYTES]
        return
    loop = asyncio.get_running_loop()
    while piece := await loop.run_in_executor(_borrowed, _next, answer.pieces):
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    """The next piece that is not empty; nothing at the end."""
    return next((piece for piece in pieces if piece), b"")
