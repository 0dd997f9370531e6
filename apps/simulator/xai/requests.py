"""Checks a chat request the way xAI does and turns it into values."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from apps.simulator.chat import responses
from apps.simulator.chat.question import BadContent, Question
from apps.simulator.photographs import NotAnImage, Photograph, Photographs, TooLarge
from apps.simulator.xai import errors
from apps.simulator.xai.catalogue import Model, resolve

MOST_IMAGE_BYTES = 20 * 1024 * 1024
NOT_SUPPORTED = ("store", "metadata", "modalities", "audio", "prediction", "functions", "logit_bias", "size")
NOT_WHEN_REASONING = {"stop": "stop", "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
ROLES = ("system", "user", "assistant", "tool", "developer")
TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "model": ((str,), "a string"),
    "messages": ((list,), "a sequence"),
    "temperature": ((int, float), "f32"),
    "top_p": ((int, float), "f32"),
    "n": ((int,), "i32"),
    "max_completion_tokens": ((int,), "i32"),
    "max_tokens": ((int,), "i32"),
    "stream": ((bool,), "a boolean"),
    "deferred": ((bool,), "a boolean"),
    "seed": ((int,), "i32"),
    "tools": ((list,), "a sequence"),
    "response_format": ((dict,), "a map"),
    "reasoning_effort": ((str,), "a string"),
    "user": ((str,), "a string"),
}


@dataclass(frozen=True, kw_only=True)
class ChatRequest(Question):
    """`images`: their addresses, in the order they were sent."""

    model: Model
    reasoning: bool
    images: tuple[str, ...]
    choices: int = 1
    most_tokens: int | None
    stream: bool = False
    deferred: bool = False


def parse(body: Any) -> ChatRequest:
    """Raises Refused with xAI's own status and words."""
    _check_types(body)
    _check_arguments(body)
    resolved = resolve(body["model"])
    if resolved is None:
        raise errors.refused(400, f"Model not found: {body['model']}", code="invalid-argument")
    reasoning = _reasons(resolved.model, resolved.effort, body.get("reasoning_effort"))
    if reasoning:
        _check_for_reasoning(body)
    texts, images = _contents(body["messages"])
    return ChatRequest(
        asked=body["model"],
        model=resolved.model,
        reasoning=reasoning,
        texts=tuple(texts),
        images=tuple(images),
        choices=body.get("n") or 1,
        most_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stream=bool(body.get("stream")),
        deferred=bool(body.get("deferred")),
        **_wanted(body.get("response_format") or {}),
    )


def parse_response(body: Any) -> ChatRequest:
    """The same of the Responses interface."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str) or "input" not in body:
        raise errors.malformed("missing field `input`")
    resolved = resolve(body["model"])
    if resolved is None:
        raise errors.refused(400, f"Model not found: {body['model']}", code="invalid-argument")
    try:
        question, images = responses.question_of(body)
    except BadContent as error:
        raise errors.malformed(f"{error}: data did not match any variant of untagged enum") from error
    reasoning = _reasons(resolved.model, resolved.effort, (body.get("reasoning") or {}).get("effort"))
    return ChatRequest(
        **vars(question),
        model=resolved.model,
        reasoning=reasoning,
        images=tuple(images),
        most_tokens=body.get("max_output_tokens"),
    )


def _wanted(response_format: dict[str, Any]) -> dict[str, Any]:
    """The schema of a structured answer, and whether one is wanted at all."""
    schema = (response_format.get("json_schema") or {}).get("schema")
    return {"schema": schema, "as_json": response_format.get("type", "text") != "text"}


async def with_photographs(request: ChatRequest, photographs: Photographs) -> ChatRequest:
    """Opens every image that was sent. Raises Refused."""
    opened = [await _opened(source, photographs) for source in request.images]
    return dataclasses.replace(request, photographs=tuple(opened))


async def _opened(source: str, photographs: Photographs) -> Photograph:
    if not source.startswith(("data:image/", "http://", "https://")):
        raise errors.refused(400, "Invalid request content: Image URL must be an http(s) URL or a base64 data URI.")
    try:
        return await photographs.open(source, most_bytes=MOST_IMAGE_BYTES)
    except TooLarge as error:
        raise errors.refused(400, f"Image size exceeds the maximum allowed size of 20 MiB. {error}") from error
    except NotAnImage as error:
        if source.startswith("http"):
            raise errors.refused(400, f"Failed to fetch the image from {source}: {error}") from error
        raise errors.refused(400, f"Invalid request content: Invalid image data. {error}") from error


def _check_types(body: Any) -> None:
    if not isinstance(body, dict):
        raise errors.malformed(f"invalid type: {_kind(body)}, expected struct ChatCompletionRequest")
    for name in ("messages", "model"):
        if name not in body:
            raise errors.malformed(f"missing field `{name}`")
    for name, (types, expected) in TYPES.items():
        value = body.get(name)
        wrong_bool = isinstance(value, bool) and bool not in types
        if (value is None and name in ("model", "messages")) or (
            value is not None and (wrong_bool or not isinstance(value, types))
        ):
            raise errors.malformed(f"{name}: invalid type: {_kind(value)}, expected {expected}")


def _check_arguments(body: dict[str, Any]) -> None:
    for name in NOT_SUPPORTED:
        if body.get(name) is not None:
            raise errors.refused(400, f"Argument not supported: {name}", code=errors.INVALID)
    if body.get("search_parameters") is not None:
        raise errors.refused(410)
    if body.get("tool_choice") is not None and not body.get("tools"):
        raise _invalid("A tool_choice was set on the request but no tools were specified.")
    if body.get("deferred") and body.get("stream"):
        raise _invalid("Deferred requests cannot be streamed.")
    for name, least, most in (("temperature", 0, 2), ("top_p", 0, 1)):
        if body.get(name) is not None and not least <= body[name] <= most:
            raise _invalid(f"{name} must be between {least} and {most}.")
    if not body["messages"]:
        raise _invalid("Messages cannot be empty.")


def _check_for_reasoning(body: dict[str, Any]) -> None:
    for name, theirs in NOT_WHEN_REASONING.items():
        if body.get(name) is not None:
            raise errors.refused(400, f"Model {body['model']} does not support parameter {theirs}.")


def _reasons(model: Model, implied: str | None, asked: str | None) -> bool:
    if asked is not None and implied is None and asked not in model.efforts:
        raise errors.refused(400, f"Model {model.id} does not support parameter reasoningEffort value {asked!r}.")
    return model.reasons_with(asked or implied)


def _contents(messages: list[Any]) -> tuple[list[tuple[str, str]], list[str]]:
    texts: list[tuple[str, str]] = []
    images: list[str] = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise errors.malformed(f"messages[{place}].role: unknown variant, expected one of {', '.join(ROLES)}")
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        for part in parts:
            _read_part(place, message["role"], part, texts, images)
    return texts, images


def _read_part(place: int, role: str, part: Any, texts: list[tuple[str, str]], images: list[str]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    image = part.get("image_url") if kind == "image_url" else None
    if kind == "text" and isinstance(part.get("text"), str):
        texts.append((role, part["text"]))
    elif isinstance(image, dict) and isinstance(image.get("url"), str):
        images.append(image["url"])
    else:
        raise errors.malformed(f"messages[{place}].content: data did not match any variant of untagged enum")


def _invalid(text: str) -> errors.Refused:
    return errors.refused(400, f"Invalid request content: {text}")


def _kind(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "floating point", list: "sequence", dict: "map"}
    shown = f' "{value}"' if isinstance(value, str) else ""
    return "null" if value is None else names.get(type(value), type(value).__name__) + shown
