"""When there is no room for more connections, the address that has most of them makes it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from apps.front import limits
from apps.front.server import Front

StartResponse = Callable[[str, list[tuple[str, str]]], object]
READ = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


def application(environ: dict[str, object], start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    front = Front(application)
    listening = await asyncio.get_running_loop().create_server(front, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await front.shutdown(1)


async def silent(port: int, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that begins a request and does not end it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(b"GET /")
    await writer.drain()
    return reader, writer


async def answer(port: int, source: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(READ)
    said = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return said


def test_who_comes_later_finds_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three addresses with four silent connections each have all there are; a newcomer and this machine are served."""
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 12)
    monkeypatch.setattr(limits, "CONNECTIONS_EACH", 4)

    async def play() -> None:
        async with serving() as port:
            held = [await silent(port, f"127.0.0.{place}") for place in (2, 3, 4) for _ in range(4)]
            assert await answer(port, "127.0.0.5") == b"HTTP/1.1 200 OK\r\n"
            assert await answer(port, "127.0.0.1") == b"HTTP/1.1 200 OK\r\n"
            assert await asyncio.wait_for(held[0][0].read(), 60) == b""  # the oldest of one of them was ended
            assert (await answer(port, "127.0.0.4")).startswith(b"HTTP/1.1 503")  # and who has most gets no more

    with ThreadPoolExecutor(1) as apart:  # Playwright keeps a loop in this thread once a browser test has run
        apart.submit(asyncio.run, play()).result()
