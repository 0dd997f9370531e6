"""Who asks for a stream is looked up beside the others who ask, however many come from one place."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.live import application as live

FLOOD = "198.51.100.7"


async def status_for(address: str) -> int:
    """What `GET /api/events` from there is answered with."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/api/events", "headers": [], "client": (address, 1)}
    await live.application(scope, receive, send)
    return int(said[0]["status"])


def test_a_flood_from_one_address_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first look-up hangs; the others of its address wait for it, and nobody else does."""
    go_on = threading.Event()

    def user_of(headers: dict[str, str], address: str) -> None:
        if address == FLOOD:
            assert go_on.wait(60)

    monkeypatch.setattr(live, "user_of", user_of)

    async def play() -> None:
        flood = [asyncio.create_task(status_for(FLOOD)) for _ in range(20)]
        await asyncio.sleep(0)
        try:
            assert await asyncio.wait_for(status_for("203.0.113.9"), 30) == 401
            assert not any(each.done() for each in flood)
        finally:
            go_on.set()
        assert set(await asyncio.gather(*flood)) == {401}

    with ThreadPoolExecutor(1) as apart:  # Playwright keeps a loop in this thread once a browser test has run
        apart.submit(asyncio.run, play()).result()
