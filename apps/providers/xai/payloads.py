"""The wire shapes of xAI's chat completions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.providers import pricing
from apps.providers.catalogue import find_model
from apps.providers.errors import MalformedOutput
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, ModelInfo, TextPart, Usage

_EFFORTS = ("none", "low", "medium", "high", "xhigh")
_PRICE_UNITS = Decimal(10_000)  # listed in USD cents for 100 million tokens


def chat_body(request: ChatRequest, *, stream: bool = False) -> dict[str, Any]:
    """Neither stop nor penalties: reasoning models refuse them. No temperature: they ignore it."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [
            {"role": "system", "content": request.system},
            {"role": "user", "content": [_part(part) for part in request.parts]},
        ],
        "max_completion_tokens": request.max_tokens,
    }
    effort = effort_for(request.model, request.effort)
    if effort:
        body["reasoning_effort"] = effort
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def effort_for(model: str, wanted: str | None) -> str | None:
    """The strongest effort the model knows that is not above the wanted one; None where it takes no effort."""
    known = find_model("xai", model)
    if wanted is None or wanted not in _EFFORTS or known is None or not known.efforts:
        return None
    allowed = _EFFORTS[: _EFFORTS.index(wanted) + 1]
    return next((effort for effort in reversed(allowed) if effort in known.efforts), known.efforts[0])


def read_answer(data: Mapping[str, Any], *, http_status: int) -> ChatAnswer:
    """A whole completion. Raises MalformedOutput when it is none."""
    try:
        choice = data["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content") or "", message.get("refusal") or ""
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise _no_message(data, http_status) from error
    if not isinstance(text, str):
        raise _no_message(data, http_status)
    return make_answer(
        answer_id=str(data.get("id") or ""),
        model=str(data.get("model") or ""),
        text=text,
        refusal=str(refusal),
        finish_reason=str(choice.get("finish_reason") or "stop"),
        usage=data.get("usage"),
        http_status=http_status,
    )


def _no_message(data: Mapping[str, Any], http_status: int) -> MalformedOutput:
    cost, source = stated_cost(data)
    return MalformedOutput(
        "xai", detail="The answer has no message.", http_status=http_status, cost_usd=cost, cost_source=source
    )


def make_answer(
    *, answer_id: str, model: str, text: str, refusal: str, finish_reason: str, usage: Any, http_status: int
) -> ChatAnswer:
    tokens = read_usage(usage)
    cost, source = cost_of(model, tokens)
    return ChatAnswer(answer_id, model, text, refusal, finish_reason, tokens, cost, source, http_status)


def read_usage(usage: Any) -> Usage:
    """Unknown or missing counts are 0; the raw object is kept for the ledger."""
    raw = usage if isinstance(usage, dict) else {}
    return Usage(
        prompt=_count(raw, "prompt_tokens"),
        cached=_count(raw.get("prompt_tokens_details"), "cached_tokens"),
        completion=_count(raw, "completion_tokens"),
        reasoning=_count(raw.get("completion_tokens_details"), "reasoning_tokens"),
        total=_count(raw, "total_tokens"),
        raw=raw,
    )


def cost_of(model: str, usage: Usage) -> tuple[Decimal | None, str]:
    """The cost and where it is from: reported ticks, else our table for the model that answered, else none.

    Every question has tokens: a count of none, or no count of the answer's, is no figure.
    """
    reported = pricing.from_ticks(usage.raw.get("cost_in_usd_ticks"))
    if reported is not None:
        return reported, "reported"
    is_counted = usage.prompt and isinstance(usage.raw.get("completion_tokens"), int)
    priced = pricing.from_tokens("xai", model, usage) if is_counted else None
    return priced, "priced" if priced is not None else "none"


def stated_cost(data: Any) -> tuple[Decimal | None, str]:
    """The same of an answer that is a failure: what it says of its usage, if anything."""
    fields = data if isinstance(data, Mapping) else {}
    return cost_of(str(fields.get("model") or ""), read_usage(fields.get("usage")))


def read_models(data: Any) -> list[ModelInfo]:
    """From /language-models ("models", with prices) or /models ("data")."""
    listed = (data.get("models") or data.get("data")) if isinstance(data, dict) else None
    return [_model(item) for item in _list(listed) if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _model(item: Mapping[str, Any]) -> ModelInfo:
    modalities = item.get("input_modalities")
    return ModelInfo(
        id=item["id"],
        aliases=tuple(alias for alias in _list(item.get("aliases")) if isinstance(alias, str)),
        images="image" in modalities if isinstance(modalities, list) else None,
        input_usd=_price(item.get("prompt_text_token_price")),
        cached_usd=_price(item.get("cached_prompt_text_token_price")),
        output_usd=_price(item.get("completion_text_token_price")),
    )


def _price(units: Any) -> Decimal | None:
    return Decimal(units) / _PRICE_UNITS if isinstance(units, int) and not isinstance(units, bool) else None


def _count(data: Any, name: str) -> int:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": part.data_uri, "detail": part.detail}}
