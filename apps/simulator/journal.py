"""What was asked, what was bought, how many at once: three independent records for tests to hold against ours."""

import hashlib
import json
import re
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.simulator.clock import rfc3339

KEPT_REQUESTS = 20_000
SECRET_HEADERS = {"authorization", "x-goog-api-key", "x-api-key", "cookie"}
LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/]{256,}={0,2}")


@dataclass(kw_only=True)
class Entry:
    """One request. `outcome`: answered, dropped, hung; `body` has its base64 cut to a digest and a length."""

    n: int
    at: float
    provider: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    status: int | None = None
    outcome: str = "open"
    scenario: str | None = None
    prediction_id: str | None = None
    cost: str | None = None
    duration_ms: int | None = None

    def as_json(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self.body)
        except ValueError:
            parsed = None
        return {**asdict(self), "at": rfc3339(self.at), "json": parsed}


class Journal:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT_REQUESTS)
        self._last = 0

    def open(
        self,
        *,
        at: float,
        provider: str,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        raw: bytes,
    ) -> Entry:
        self._last += 1
        entry = Entry(
            n=self._last,
            at=at,
            provider=provider,
            method=method,
            path=path,
            query=query,
            headers=without_secrets(headers),
            body=shortened(raw),
        )
        self._entries.append(entry)
        return entry

    def select(self, *, provider: str = "", path: str = "", since: int = 0) -> list[dict[str, Any]]:
        return [
            entry.as_json()
            for entry in self._entries
            if entry.n > since and provider in ("", entry.provider) and path in entry.path
        ]

    def clear(self) -> None:
        self._entries.clear()


def without_secrets(headers: dict[str, str]) -> dict[str, str]:
    return {name: "[secret]" if name.lower() in SECRET_HEADERS else value[:500] for name, value in headers.items()}


def shortened(raw: bytes) -> str:
    """Text of a body with every long base64 run replaced by `<sha256:…, n characters>`."""
    cut = LONG_BASE64.sub(
        lambda run: b"<sha256:%s, %d characters>" % (hashlib.sha256(run[0]).hexdigest()[:16].encode(), len(run[0])), raw
    )
    try:
        return cut.decode()
    except UnicodeDecodeError:
        return f"<binary, {len(raw)} bytes, sha256:{hashlib.sha256(raw).hexdigest()[:16]}>"


@dataclass(kw_only=True)
class Purchase:
    """One accepted paid call. `cost` in USD; `status`: accepted, or refunded when the provider's task failed."""

    at: float
    provider: str
    id: str
    model: str
    cost: Decimal
    prompt: str
    status: str = "accepted"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": rfc3339(self.at), "cost": str(self.cost)}


class Ledger:
    """Money, counted apart from everything the client believes. The file, if any, outlives a killed process."""

    def __init__(self, path: Path | None) -> None:
        self.purchases: list[Purchase] = []
        self._by_id: dict[str, Purchase] = {}
        self._file = path.open("a", encoding="utf-8") if path else None

    def accept(self, purchase: Purchase) -> None:
        self.purchases.append(purchase)
        self._by_id[purchase.id] = purchase
        self._append(purchase)

    def refund(self, purchase_id: str) -> None:
        if purchase := self._by_id.get(purchase_id):
            purchase.status = "refunded"
            self._append(purchase)

    def clear(self) -> None:
        self.purchases.clear()
        self._by_id.clear()

    def _append(self, purchase: Purchase) -> None:
        if self._file:
            self._file.write(json.dumps(purchase.as_json()) + "\n")
            self._file.flush()


@dataclass(kw_only=True)
class Traffic:
    """Paid calls of one provider. `at_once` counts open requests, `tasks_at_once` unfinished tasks."""

    open: int = 0
    at_once: int = 0
    tasks_at_once: int = 0
    total: int = 0
    most_in_any_minute: int = 0
    by_minute: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    _last_minute: deque[float] = field(default_factory=deque)

    def start(self, now: float) -> None:
        self.open += 1
        self.total += 1
        self.at_once = max(self.at_once, self.open)
        self.by_minute[rfc3339(now)[:16] + "Z"] += 1
        self._last_minute.append(now)
        while self._last_minute[0] <= now - 60:
            self._last_minute.popleft()
        self.most_in_any_minute = max(self.most_in_any_minute, len(self._last_minute))

    def finish(self, status: int | None) -> None:
        self.open -= 1
        self.by_status[str(status or "none")] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "open": self.open,
            "concurrency_high_water": self.at_once,
            "tasks_high_water": self.tasks_at_once,
            "total": self.total,
            "most_in_any_minute": self.most_in_any_minute,
            "per_minute": dict(self.by_minute),
            "by_status": dict(self.by_status),
        }
