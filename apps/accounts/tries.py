"""How often something secret may be guessed: counts with waits that grow, in Redis for all processes together.

A try is counted before it is judged, in one step, so that a hundred at once are no more than a hundred in a row. While
Redis is away each process counts for itself: guessing goes on being slow, and nobody is shut out for that.
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog

from apps.core.broker import hints
from apps.core.errors import Problem

log = structlog.get_logger(__name__)
FORGOTTEN_AFTER = 3600.0  # seconds without a try
MOST_REMEMBERED = 20_000  # counts that one process keeps while Redis is away

# KEYS: one hash each. ARGV: for each key the free tries, the first wait and the longest (ms); last the life of a count.
# Answers the milliseconds to wait, and counts only when there are none; then the wait that this try has begun.
_TRY = """
local clock = redis.call('TIME')
local now, wait, begun = clock[1] * 1000 + math.floor(clock[2] / 1000), 0, 0
for _, key in ipairs(KEYS) do
  wait = math.max(wait, tonumber(redis.call('HGET', key, 'until') or 0) - now)
end
if wait > 0 then return {wait, 0} end
for place, key in ipairs(KEYS) do
  local free, first, most = tonumber(ARGV[3 * place - 2]), tonumber(ARGV[3 * place - 1]), tonumber(ARGV[3 * place])
  local over = redis.call('HINCRBY', key, 'tries', 1) - free
  if over >= 0 then
    local pause = math.min(first * 2 ^ math.min(over, 30), most)
    redis.call('HSET', key, 'until', now + pause)
    begun = math.max(begun, pause)
  end
  redis.call('PEXPIRE', key, ARGV[#ARGV])
end
return {0, begun}
"""
# The try was no guess: it is taken back.
_FORGIVE = """
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then
    redis.call('HDEL', key, 'until')
    if redis.call('HINCRBY', key, 'tries', -1) <= 0 then redis.call('DEL', key) end
  end
end
return 1
"""


@dataclass(frozen=True)
class Limit:
    """After `free` tries each further one begins a wait: `first` seconds, twice as long each time, at most `most`."""

    key: str
    free: int
    first: float
    most: float

    @property
    def name(self) -> str:
        return _name(self.key)


@dataclass(frozen=True)
class Answer:
    """Seconds. `wait`: it was too soon, and was not counted. `begun`: the wait that begins with this try."""

    wait: float
    begun: float


class _Memory:
    """The same counts in this process alone; the oldest are dropped when there are too many."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[int, float, float]] = OrderedDict()  # tries, until, last
        self._remembered: OrderedDict[str, float] = OrderedDict()  # until
        self._lock = threading.Lock()

    def count(self, limits: Sequence[Limit]) -> Answer:
        with self._lock:
            now = time.monotonic()
            found = {limit.name: self._fresh(limit.name, now) for limit in limits}
            wait = max([until - now for _tries, until, _last in found.values()], default=0.0)
            if wait > 0:
                return Answer(wait, 0.0)
            begun = 0.0
            for limit in limits:
                tries, until = found[limit.name][0] + 1, 0.0
                if tries >= limit.free:
                    pause = min(limit.first * 2 ** min(tries - limit.free, 30), limit.most)
                    begun, until = max(begun, pause), now + pause
                self._counts[limit.name] = (tries, until, now)
                self._counts.move_to_end(limit.name)
            while len(self._counts) > MOST_REMEMBERED:
                self._counts.popitem(last=False)
            return Answer(0.0, begun)

    def forgive(self, limits: Sequence[Limit]) -> None:
        with self._lock:
            for limit in limits:
                tries, _until, last = self._counts.pop(limit.name, (0, 0.0, 0.0))
                if tries > 1:
                    self._counts[limit.name] = (tries - 1, 0.0, last)

    def clear(self, limits: Sequence[Limit]) -> None:
        with self._lock:
            for limit in limits:
                self._counts.pop(limit.name, None)

    def remember(self, name: str, seconds: float) -> None:
        with self._lock:
            self._remembered[name] = time.monotonic() + seconds
            self._remembered.move_to_end(name)
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)

    def remembers(self, name: str) -> bool:
        return self._remembered.get(name, 0.0) > time.monotonic()

    def _fresh(self, name: str, now: float) -> tuple[int, float, float]:
        tries, until, last = self._counts.get(name, (0, 0.0, now))
        return (tries, until, last) if now - last < FORGOTTEN_AFTER else (0, 0.0, now)


_memory = _Memory()


def count(*limits: Limit) -> Answer:
    """Counts a try against all of them, unless one of them says to wait."""
    names = [limit.name for limit in limits]
    numbers = [round(number) for limit in limits for number in (limit.free, limit.first * 1000, limit.most * 1000)]
    life = round(FORGOTTEN_AFTER * 1000)
    told = cast(Any, hints.attempt(lambda client: client.eval(_TRY, len(names), *names, *numbers, life)))
    if told is None:
        return _memory.count(limits)
    return Answer(told[0] / 1000, told[1] / 1000)


def guessed(what: str, address: str) -> None:
    """Counts a wrong key of a program (`what`: token, cron) against the address that showed it; after many, Problem 429.

    A right key always passes: a program that shows an old one for ever must not shut out the others behind the same
    address, and a key of ours cannot be guessed.
    """
    answer = count(Limit(f"{what} {address}", free=60, first=1, most=300))
    if answer.begun:
        log.warning("keys_are_guessed", what=what, address=address, next_try_in_seconds=round(answer.begun))
    if answer.wait > 0:
        seconds = str(math.ceil(answer.wait))
        raise Problem(
            429,
            "too_many_tries",
            "Too many wrong keys came from this address.",
            f"Correct the key and try again in {seconds} seconds.",
            headers={"Retry-After": seconds},
        )


def forgive(*limits: Limit) -> None:
    """The last try was right: it does not count against them."""
    names = [limit.name for limit in limits]
    hints.attempt(lambda client: client.eval(_FORGIVE, len(names), *names))
    _memory.forgive(limits)


def clear(*limits: Limit) -> None:
    """Nothing was ever counted."""
    names = [limit.name for limit in limits]
    hints.attempt(lambda client: client.delete(*names))
    _memory.clear(limits)


def remember(key: str, seconds: float) -> None:
    """Keeps that something is so, until Redis is emptied and this process ends."""
    hints.attempt(lambda client: client.set(_name(key), 1, ex=round(seconds)))
    _memory.remember(_name(key), seconds)


def is_remembered(key: str) -> bool:
    return bool(hints.attempt(lambda client: client.exists(_name(key)))) or _memory.remembers(_name(key))


def _name(key: str) -> str:
    """As Redis knows it; hashed, because what people type as their name may be their password."""
    return "pressroom:tries:" + hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]
