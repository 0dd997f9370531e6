"""What every client that answers questions offers, and what is wrong with an answer that did arrive."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol, cast

import orjson
from django.utils.module_loading import import_string
from jsonschema import Draft202012Validator

from apps.providers import errors, pricing
from apps.providers.catalogue import find_model, same_model
from apps.providers.http import scrub
from apps.providers.registry import PROVIDERS
from apps.providers.types import ChatAnswer, ChatRequest, Schema, Usage

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class ChatClient(Protocol):
    """Every method raises ProviderError, makes one request and never a second, and needs the seconds it may take in all."""

    def chat(self, request: ChatRequest, *, seconds: float) -> ChatAnswer: ...
    def chat_stream(self, request: ChatRequest, *, seconds: float) -> Iterator[str | ChatAnswer]: ...
    def ping(self, *, seconds: float = 10) -> None: ...


def client_of(provider: str) -> ChatClient:
    """The client of a provider that answers questions, with this installation's key. KeyError for any other."""
    entry = PROVIDERS[provider]
    if not entry.answers_questions:
        raise KeyError(provider)
    return cast("ChatClient", import_string(entry.client).from_settings())


def effort_for(provider: str, model: str, wanted: str | None) -> str | None:
    """The strongest effort the model knows that is not above the wanted one; None where it takes no effort."""
    known = find_model(provider, model)
    if wanted is None or wanted not in EFFORTS or known is None or not known.efforts:
        return None
    allowed = EFFORTS[: EFFORTS.index(wanted) + 1]
    return next((effort for effort in reversed(allowed) if effort in known.efforts), known.efforts[0])


def temperature_for(provider: str, model: str, wanted: float | None) -> float | None:
    """The wanted one, where the model is known to take it or not known at all."""
    known = find_model(provider, model)
    return None if known and not known.temperature else wanted


def schema_for(provider: str, request: ChatRequest) -> Schema | None:
    """The schema of a request, where the model answers by one."""
    known = find_model(provider, request.model)
    takes = known is None or (known.schema and (known.schema_with_web or not request.web_search))
    return request.schema if takes else None


def parsed(schema: Schema | None, text: str) -> Any:
    """The value of an answer by a schema; None when none was asked, or when the text is no JSON that fits."""
    if schema is None:
        return None
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if Draft202012Validator(schema.schema).is_valid(value) else None


def priced(provider: str, model: str, usage: Usage, *, searches: int | None = 0) -> tuple[Decimal | None, str]:
    """USD by our table for the model that answered, and that it is from there; its web searches cost extra."""
    cost = pricing.from_tokens(provider, model, usage)
    if cost is None:
        return None, "none"
    known = find_model(provider, model)
    return cost + (known.search_usd or 0 if known else 0) * (searches or 0), "priced"


def shortcoming(provider: str, answer: ChatAnswer) -> errors.ProviderError | None:
    """What is wrong with an answer that did arrive, and was paid for; None when it can be used."""
    return shortcoming_of(
        provider,
        text=answer.text,
        refusal=answer.refusal,
        finish_reason=answer.finish_reason,
        cost_usd=answer.cost_usd,
    )


def shortcoming_of(
    provider: str, *, text: str, refusal: str, finish_reason: str, cost_usd: Decimal | None
) -> errors.ProviderError | None:
    """The same of an answer that was kept in the ledger."""
    if refusal or finish_reason == "content_filter":
        return errors.ContentRefused(provider, detail=scrub(refusal), charged=True, cost_usd=cost_usd)
    if finish_reason == "length":
        return errors.Truncated(provider, charged=True, cost_usd=cost_usd)
    if not text.strip():
        return errors.MalformedOutput(provider, detail="The answer is empty.", charged=True, cost_usd=cost_usd)
    return None


def is_another_model(provider: str, asked: str, answer: ChatAnswer) -> bool:
    """Whether a provider let another model answer: a retired one is redirected without a word."""
    return bool(answer.model) and not same_model(provider, asked, answer.model)
