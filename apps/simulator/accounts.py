"""What a provider lets one account do: keys, limits and money. Everything is generous until a test says otherwise."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

LEVELS: dict[str, dict[str, int]] = {  # WaveSpeed's account levels: images a minute, tasks at once
    "bronze": {"requests_per_minute": 10, "concurrent": 3},
    "silver": {"requests_per_minute": 500, "concurrent": 100},
    "gold": {"requests_per_minute": 3000, "concurrent": 2000},
    "ultra": {"requests_per_minute": 5000, "concurrent": 5000},
}

OPENING_BALANCE = {"wavespeed": Decimal("10000")}


@dataclass(kw_only=True)
class Account:
    """`balance` in USD, None = never runs out. `over_concurrent`: queue (as WaveSpeed does) or reject (429)."""

    level: str = ""
    requests_per_minute: int | None = None
    requests_per_second: float | None = None
    concurrent: int | None = None
    over_concurrent: str = "queue"
    balance: Decimal | None = None
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._bucket: Bucket | None = None

    def update(self, values: dict[str, Any]) -> None:
        """Raises ValueError with the known names when one is unknown."""
        known = {field.name for field in dataclasses.fields(self)} | {"key"}
        if unknown := sorted(set(values) - known - {"provider"}):
            raise ValueError(f"Unknown account field {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
        changes = {**LEVELS.get(values.get("level", ""), {}), **values}
        changes.pop("provider", None)
        if key := changes.pop("key", None):
            changes["keys"] = (*self.keys, key)
        for name, value in changes.items():
            setattr(self, name, _typed(name, value))
        self._bucket = None

    def accepts(self, key: str) -> bool:
        return key == "simulator" or key.startswith("sim-") or key in self.keys

    def takes_another(self, now: float) -> bool:
        """One token of the rate limit; False = answer 429."""
        if self._bucket is None:
            self._bucket = self._new_bucket(now)
        return self._bucket is None or self._bucket.take(now)

    def can_pay(self, cost: Decimal) -> bool:
        return self.balance is None or self.balance >= cost

    def pay(self, cost: Decimal) -> None:
        if self.balance is not None:
            self.balance -= cost

    def _new_bucket(self, now: float) -> "Bucket | None":
        if self.requests_per_second is not None:
            return Bucket(size=max(1.0, self.requests_per_second), per_second=self.requests_per_second, now=now)
        if self.requests_per_minute is not None:
            return Bucket(size=self.requests_per_minute, per_second=self.requests_per_minute / 60, now=now)
        return None


class Bucket:
    """A token bucket, full at the start."""

    def __init__(self, *, size: float, per_second: float, now: float) -> None:
        self._size, self._per_second = size, per_second
        self._tokens, self._at = size, now

    def take(self, now: float) -> bool:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _typed(name: str, value: Any) -> Any:
    if name == "balance" and value is not None:
        return Decimal(str(value))
    return tuple(value) if name == "keys" else value
