"""The Responses interface of OpenAI and xAI: asked where a model searches the web by no other way."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.providers.chat import effort_for, parsed, schema_for, temperature_for
from apps.providers.errors import MalformedOutput, Overloaded
from apps.providers.http import scrub
from apps.providers.openai_wire.completions import read_sources
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.openai_wire.usage import cost_of, read_usage, stated_cost
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, Source, TextPart

PATH = "/responses"
_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


def body_of(dialect: Dialect, request: ChatRequest) -> dict[str, Any]:
    """Kept by nobody (`store`), and with the pages that were only consulted."""
    body: dict[str, Any] = {
        "model": request.model,
        "input": [{"role": "user", "content": [_part(part) for part in request.parts]}],
        "max_output_tokens": request.max_tokens,
        "store": False,
    }
    if request.system:
        body["instructions"] = request.system
    if request.web_search:
        body |= {"tools": [{"type": "web_search"}], "include": ["web_search_call.action.sources"]}
    effort = effort_for(dialect.provider, request.model, request.effort)
    if effort:
        body["reasoning"] = {"effort": effort}
    temperature = temperature_for(dialect.provider, request.model, request.temperature)
    if temperature is not None:
        body["temperature"] = temperature
    schema = schema_for(dialect.provider, request)
    if schema:
        body["text"] = {
            "format": {"type": "json_schema", "name": schema.name, "schema": dict(schema.schema), "strict": True}
        }
    return body


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    return {"type": "input_image", "image_url": part.data_uri, "detail": part.detail}


def read_answer(dialect: Dialect, data: Mapping[str, Any], *, http_status: int, request: ChatRequest) -> ChatAnswer:
    """Raises MalformedOutput when there is no output, Overloaded when the provider gave up on it."""
    if data.get("status") == "failed":
        raise _gave_up(dialect, data, http_status)
    output = data.get("output")
    if not isinstance(output, list):
        cost, source = stated_cost(dialect, data)
        raise MalformedOutput(
            dialect.provider,
            detail="The answer has no output.",
            http_status=http_status,
            cost_usd=cost,
            cost_source=source,
        )
    parts = list(_parts(output))
    text = "".join(_text(part, "output_text", "text") for part in parts)
    model, usage = str(data.get("model") or ""), read_usage(dialect, data.get("usage"))
    calls = [item for item in output if isinstance(item, Mapping) and item.get("type") == "web_search_call"]
    cost, cost_source = cost_of(dialect, model, usage, searches=len(calls))
    schema = schema_for(dialect.provider, request)
    return ChatAnswer(
        id=str(data.get("id") or ""),
        model=model,
        text=text,
        refusal="".join(_text(part, "refusal", "refusal") for part in parts),
        finish_reason=_finish_reason(data),
        usage=usage,
        cost_usd=cost,
        cost_source=cost_source,
        http_status=http_status,
        parsed=parsed(schema, text),
        searches=len(calls),
        sources=_sources(parts, calls, data.get("citations")),
    )


def _parts(output: list[Any]) -> Iterator[Mapping[str, Any]]:
    for item in output:
        content = item.get("content") if isinstance(item, Mapping) and item.get("type") == "message" else None
        yield from (part for part in content if isinstance(part, Mapping)) if isinstance(content, list) else ()


def _text(part: Mapping[str, Any], kind: str, name: str) -> str:
    value = part.get(name) if part.get("type") == kind else None
    return value if isinstance(value, str) else ""


def _finish_reason(data: Mapping[str, Any]) -> str:
    details = data.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return _FINISH.get(str(reason), "length") if data.get("status") == "incomplete" else "stop"


def _sources(parts: list[Mapping[str, Any]], calls: list[Mapping[str, Any]], listed: Any) -> tuple[Source, ...]:
    """Those that the words refer to, then those that were only consulted (xAI lists them as `citations`)."""
    found = {source.url: source for part in parts for source in read_sources(part.get("annotations"))}
    consulted: list[Any] = list(listed) if isinstance(listed, list) else []
    for call in calls:
        action = call.get("action")
        told = action.get("sources") if isinstance(action, Mapping) else None
        consulted += told if isinstance(told, list) else []
    for entry in consulted:
        url = entry.get("url") if isinstance(entry, Mapping) else entry
        title = str(entry.get("title") or "") if isinstance(entry, Mapping) else ""
        if isinstance(url, str) and url:
            found.setdefault(url, Source(url, title, cited=False))
    return tuple(found.values())


def _gave_up(dialect: Dialect, data: Mapping[str, Any], http_status: int) -> Overloaded:
    error = data.get("error")
    said = str(error.get("message") or "") if isinstance(error, Mapping) else ""
    cost, source = stated_cost(dialect, data)
    return Overloaded(dialect.provider, detail=scrub(said), http_status=http_status, cost_usd=cost, cost_source=source)
