"""The words of an answer as they arrive, told to whoever looks on. Nothing of them is kept: they may yet be rejected."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from apps.jobs import announce
from apps.jobs.values import Lease
from apps.providers.types import ChatAnswer

APART_SECONDS = 0.2  # five times a second at most


@dataclass
class Draft:
    """What has arrived so far. `tell` is given the whole of it each time, so that a lost message loses nothing.

    Of a text that grows longer than `longest` characters the rest is not told.
    """

    tell: Callable[[str], object]
    longest: int
    clock: Callable[[], float] = time.monotonic
    text: str = ""
    told_at: float = field(default=float("-inf"))

    @classmethod
    def of(cls, lease: Lease, *, longest: int) -> Self:
        return cls(partial(announce.partial_text, lease.owner_id, lease.uid, lease.subject), longest)

    def follow(self, pieces: Iterable[str | ChatAnswer]) -> ChatAnswer | None:
        """Reads a stream to its end and answers what it ended in. What the stream raises passes through."""
        answer = None
        for piece in pieces:
            if isinstance(piece, ChatAnswer):
                answer = piece
            else:
                self._add(piece)
        return answer

    def _add(self, piece: str) -> None:
        self.text = (self.text + piece)[: self.longest]
        now = self.clock()
        if self.text.strip() and now - self.told_at >= APART_SECONDS:
            self.told_at = now
            self.tell(self.text)
