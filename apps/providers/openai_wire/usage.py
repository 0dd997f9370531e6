"""Tokens and cost of an answer, in the words of chat completions and of responses."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.providers.chat import priced
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.types import Usage


def read_usage(dialect: Dialect, usage: Any) -> Usage:
    """Unknown or missing counts are 0; the raw object is kept for the ledger."""
    raw = usage if isinstance(usage, dict) else {}
    prompt = _count(raw, "prompt_tokens") or _count(raw, "input_tokens")
    output = _count(raw, "completion_tokens") or _count(raw, "output_tokens")
    reasoning = _detail(raw, "reasoning_tokens", "completion_tokens_details", "output_tokens_details")
    return Usage(
        prompt=prompt,
        cached=_detail(raw, "cached_tokens", "prompt_tokens_details", "input_tokens_details"),
        completion=output if is_extra(dialect, raw) else max(output - reasoning, 0),
        reasoning=reasoning,
        total=_count(raw, "total_tokens"),
        raw=raw,
    )


def is_extra(dialect: Dialect, raw: Mapping[str, Any]) -> bool:
    """xAI counts reasoning beside the completion in chat, and among the output in responses as everybody does."""
    return dialect.reasoning_is_extra and "completion_tokens" in raw


def cost_of(dialect: Dialect, model: str, usage: Usage, *, searches: int | None = 0) -> tuple[Decimal | None, str]:
    """The cost and where it is from: what the provider says, else our table for the model that answered, else none.

    Every question has tokens: a count of none, or no count of the answer's, is no figure.
    """
    told = dialect.told_cost(usage.raw)
    if told is not None:
        return told, "reported"
    output = usage.raw.get("completion_tokens", usage.raw.get("output_tokens"))
    if not usage.prompt or not isinstance(output, int):
        return None, "none"
    return priced(dialect.provider, model, usage, searches=searches)


def stated_cost(dialect: Dialect, data: Any) -> tuple[Decimal | None, str]:
    """The same of an answer that is a failure: what it says of its usage, if anything."""
    fields = data if isinstance(data, Mapping) else {}
    return cost_of(dialect, str(fields.get("model") or ""), read_usage(dialect, fields.get("usage")))


def _count(data: Any, name: str) -> int:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _detail(raw: Mapping[str, Any], name: str, *places: str) -> int:
    return next((count for place in places if (count := _count(raw.get(place), name))), 0)
