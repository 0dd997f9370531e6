"""Chat completions: the body of a request, and the reading of an answer in one piece."""

from collections.abc import Mapping
from typing import Any

from apps.providers.catalogue import Web, find_model
from apps.providers.chat import effort_for, parsed, schema_for, temperature_for
from apps.providers.errors import MalformedOutput
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.openai_wire.usage import cost_of, read_usage, stated_cost
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, Schema, Source, TextPart


def body_of(dialect: Dialect, request: ChatRequest, *, stream: bool = False) -> dict[str, Any]:
    """Neither stop nor penalties nor a seed: models that reason refuse them, and equal seeds make equal answers."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": _messages(request),
        dialect.limit_field: request.max_tokens,
    }
    effort = effort_for(dialect.provider, request.model, request.effort)
    if effort:
        body["reasoning_effort"] = effort
    temperature = temperature_for(dialect.provider, request.model, request.temperature)
    if temperature is not None:
        body["temperature"] = temperature
    schema = schema_for(dialect.provider, request)
    if schema:
        named = {"name": schema.name, "schema": dict(schema.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if request.web_search:
        body |= searching(dialect, request.model)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def searching(dialect: Dialect, model: str) -> Mapping[str, Any]:
    """A model that always searches is only told that it may."""
    known = find_model(dialect.provider, model)
    if known and known.web is Web.ALWAYS:
        return {"web_search_options": {}}
    return dialect.searching


def _messages(request: ChatRequest) -> list[dict[str, Any]]:
    """A question of nothing but words goes as it is, alone unless there is something to say before it."""
    first = [{"role": "system", "content": request.system}] if request.system else []
    only = request.parts[0] if len(request.parts) == 1 else None
    content = only.text if isinstance(only, TextPart) else [_part(part) for part in request.parts]
    return [*first, {"role": "user", "content": content}]


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": part.data_uri, "detail": part.detail}}


def read_answer(
    dialect: Dialect, data: Mapping[str, Any], *, http_status: int, request: ChatRequest | None = None
) -> ChatAnswer:
    """A whole completion. Raises MalformedOutput when it is none."""
    try:
        choice = data["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content") or "", message.get("refusal") or ""
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise _no_message(dialect, data, http_status) from error
    if not isinstance(text, str):
        raise _no_message(dialect, data, http_status)
    return make_answer(
        dialect,
        answer_id=str(data.get("id") or ""),
        model=str(data.get("model") or ""),
        text=text,
        refusal=str(refusal),
        finish_reason=str(choice.get("finish_reason") or "stop"),
        usage=data.get("usage"),
        http_status=http_status,
        annotations=message.get("annotations"),
        request=request,
    )


def make_answer(
    dialect: Dialect,
    *,
    answer_id: str,
    model: str,
    text: str,
    refusal: str,
    finish_reason: str,
    usage: Any,
    http_status: int,
    annotations: Any = None,
    request: ChatRequest | None = None,
) -> ChatAnswer:
    tokens = read_usage(dialect, usage)
    sources = read_sources(annotations)
    searches = _searches(dialect, request, tokens.raw, sources)
    cost, source = cost_of(dialect, model, tokens, searches=searches)
    return ChatAnswer(
        id=answer_id,
        model=model,
        text=text,
        refusal=refusal,
        finish_reason=finish_reason,
        usage=tokens,
        cost_usd=cost,
        cost_source=source,
        http_status=http_status,
        parsed=parsed(_schema(dialect, request), text),
        searches=searches,
        sources=sources,
    )


def _schema(dialect: Dialect, request: ChatRequest | None) -> Schema | None:
    return schema_for(dialect.provider, request) if request else None


def _searches(
    dialect: Dialect, request: ChatRequest | None, usage: Mapping[str, Any], sources: tuple[Source, ...]
) -> int | None:
    """A model that always searches did so once at least; another is believed what its usage counts, or shows by sources."""
    if request is None or not request.web_search:
        return 0
    used = usage.get("server_tool_use")
    counted = used.get("web_search_requests") if isinstance(used, Mapping) else None
    if isinstance(counted, int):
        return counted
    known = find_model(dialect.provider, request.model)
    if sources or (known and known.web is Web.ALWAYS):
        return 1
    return None


def read_sources(annotations: Any) -> tuple[Source, ...]:
    """The pages that the words refer to, in order, each once."""
    found: dict[str, Source] = {}
    for entry in annotations if isinstance(annotations, list) else []:
        if not isinstance(entry, Mapping) or entry.get("type") != "url_citation":
            continue
        nested = entry.get("url_citation")
        cited = nested if isinstance(nested, Mapping) else entry  # responses tell it flat
        url = cited.get("url")
        if isinstance(url, str) and url:
            found.setdefault(url, Source(url, str(cited.get("title") or "")))
    return tuple(found.values())


def _no_message(dialect: Dialect, data: Mapping[str, Any], http_status: int) -> MalformedOutput:
    cost, source = stated_cost(dialect, data)
    return MalformedOutput(
        dialect.provider,
        detail="The answer has no message.",
        http_status=http_status,
        cost_usd=cost,
        cost_source=source,
    )
