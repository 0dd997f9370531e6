"""In what the providers differ that speak this wire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.providers.errors import ProviderError

# Statuses (None: any), what the words must hold, and the kind of failure. The first that fits counts.
Rules = tuple[tuple[set[int] | None, str, type[ProviderError]], ...]


def _untold(usage: Mapping[str, Any]) -> Decimal | None:
    return None


@dataclass(frozen=True)
class Dialect:
    """How one provider speaks.

    `limit_field` holds the most tokens of an answer. `reasoning_is_extra`: its reasoning tokens stand beside the
    completion's, not among them. `told_cost`: USD that its usage names. `searching`: what a request is given so that its
    model may search the web in a chat completion. `headers`: sent along with every request.
    """

    provider: str
    rules: Rules
    limit_field: str = "max_completion_tokens"
    reasoning_is_extra: bool = False
    told_cost: Callable[[Mapping[str, Any]], Decimal | None] = _untold
    searching: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
