"""What travels through the simulator: an exchange in, a reply out."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from apps.simulator.journal import Entry
from apps.simulator.scenarios import NO_EFFECT, Effect, Subject


@dataclass(kw_only=True)
class Reply:
    """What a handler answers. `stream`, when given, is sent piece by piece instead of `body`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


class Refused(Exception):
    """A handler will not do it; `reply` says so in the provider's own shape."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


@dataclass(kw_only=True)
class Exchange:
    """One request, read whole, with the effect a scenario or magic word puts on it."""

    request: web.Request
    raw: bytes
    json: Any
    subject: Subject
    entry: Entry
    effect: Effect = NO_EFFECT

    @property
    def bearer(self) -> str | None:
        scheme, _, key = self.request.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" and key.strip() else None


Handler = Callable[[Exchange], Awaitable[Reply]]


def as_json(body: Any, *, status: int = 200) -> Reply:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(status=status, body=text.encode(), headers={"Content-Type": "application/json"})
