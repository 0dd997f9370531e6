"""The simulator's own time: real time plus what a test has advanced it by, and the time it tells, which may be wrong."""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch. Advancing wakes everything that sleeps on this clock.

    `now` is what its work goes by; `told` is what answers say (Date, created_at, webhooks): off by `skew` seconds.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self.skew = 0.0
        self._advanced = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._offset

    def told(self) -> float:
        return self.now() + self.skew

    def advance(self, seconds: float) -> None:
        self._offset += seconds
        self._wake_sleepers()

    def reset(self) -> None:
        self._offset = self.skew = 0.0
        self._wake_sleepers()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self.sleep_until(self.now() + seconds)

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - self.now()) > 0:
            advanced = self._advanced
            try:
                await asyncio.wait_for(advanced.wait(), timeout=left)
            except TimeoutError:
                continue

    def _wake_sleepers(self) -> None:
        self._advanced.set()
        self._advanced = asyncio.Event()


def rfc3339(moment: float) -> str:
    """With nanosecond digits, as WaveSpeed writes them."""
    whole = datetime.fromtimestamp(int(moment), tz=UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{int((moment % 1) * 1e9):09d}Z"


def from_rfc3339(text: str) -> float:
    """Raises ValueError when it is not a date and time. Without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
