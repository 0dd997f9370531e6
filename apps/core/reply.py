"""A complete answer to an HTTP request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Reply:
    """A complete answer. `headers` finds names in any case; values of a repeated one are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON values; ValueError when it is not exactly that."""
        return orjson.loads(self.body)
