"""The words of a prompt as they arrive, told to whoever looks at the row. Nothing of them is kept: they may yet be rejected."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from apps.jobs import announce
from apps.jobs.values import Lease
from apps.providers.types import ChatAnswer
from apps.studio.prompting.checks import LONGEST

APART_SECONDS = 0.2  # five times a second at most
LONGEST_TOLD = 2 * LONGEST  # characters; what is longer will be rejected anyway


@dataclass
class Draft:
    """What has arrived so far. `tell` is given the whole of it each time, so that a lost message loses nothing."""

    tell: Callable[[str], object]
    clock: Callable[[], float] = time.monotonic
    text: str = ""
    told_at: float = field(default=float("-inf"))

    @classmethod
    def of(cls, lease: Lease) -> Self:
        return cls(partial(announce.partial_text, lease.owner_id, lease.uid, lease.subject))

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
        self.text = (self.text + piece)[:LONGEST_TOLD]
        now = self.clock()
        if self.text.strip() and now - self.told_at >= APART_SECONDS:
            self.told_at = now
            self.tell(self.text)
