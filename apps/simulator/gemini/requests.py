"""Checks a request the way Gemini does and turns it into a question. Names are taken in camelCase and in snake_case."""

import re
from dataclasses import dataclass
from typing import Any

from apps.simulator.chat.question import Question
from apps.simulator.gemini import errors
from apps.simulator.gemini.catalogue import Model

TOP = {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent",
       "serviceTier", "store", "labels", "model"}  # fmt: skip
CONFIG = {
    "responseMimeType", "responseSchema", "responseJsonSchema", "maxOutputTokens", "seed", "candidateCount", "stopSequences",
    "thinkingConfig", "mediaResolution", "temperature", "topP", "topK", "responseModalities", "speechConfig", "logprobs",
    "responseLogprobs", "presencePenalty", "frequencyPenalty", "routingConfig", "audioTimestamp", "imageConfig",
}  # fmt: skip
PARTS = {"text", "inlineData", "fileData", "thought", "thoughtSignature", "functionCall", "functionResponse"}
TOOLS = {"googleSearch", "googleSearchRetrieval", "urlContext", "codeExecution", "functionDeclarations"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that is in order. `images`: data URIs."""

    question: Question
    images: list[str]
    most_tokens: int | None


def parse(body: Any, *, name: str, model: Model) -> Asked:
    """Raises Refused with Google's own status and words."""
    if not isinstance(body, dict):
        raise errors.refused(400, "Invalid JSON payload received. Unexpected token.")
    fields = _known(body, TOP, "")
    config = _known(_object(fields.get("generationConfig")), CONFIG, " at 'generation_config'")
    _check_thinking(_camel_keys(_object(config.get("thinkingConfig"))), model)
    texts, images = _contents(fields)
    schema = _schema(config)
    searches = any(
        {"googleSearch", "googleSearchRetrieval"} & set(_known(_object(tool), TOOLS, " at 'tools[0]'"))
        for tool in fields.get("tools") or []
    )
    as_json = config.get("responseMimeType") == "application/json"
    if searches and as_json and not model.schema_with_search:
        raise errors.refused(400, "controlled generation is not supported with google_search tool")
    question = Question(asked=name, texts=tuple(texts), schema=schema, as_json=as_json, searches=searches)
    return Asked(question=question, images=images, most_tokens=config.get("maxOutputTokens"))


def _schema(config: dict[str, Any]) -> dict[str, Any] | None:
    first, second = config.get("responseSchema"), config.get("responseJsonSchema")
    if first is not None and second is not None:
        raise errors.refused(400, "response_schema and response_json_schema cannot both be set.")
    schema = first if first is not None else second
    if schema is not None and config.get("responseMimeType") != "application/json":
        raise errors.refused(400, "response_schema is only allowed with response_mime_type application/json.")
    return _small_types(schema) if isinstance(schema, dict) else None


def _small_types(schema: Any) -> Any:
    """OBJECT as object: both are taken."""
    if isinstance(schema, dict):
        return {
            key: value.lower() if key == "type" and isinstance(value, str) else _small_types(value)
            for key, value in schema.items()
        }
    return [_small_types(item) for item in schema] if isinstance(schema, list) else schema


def _check_thinking(thinking: dict[str, Any], model: Model) -> None:
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if level is not None and budget is not None:
        raise errors.refused(400, "You can only set one of thinking_level and thinking_budget.")
    if level is not None and not model.levels:
        raise errors.refused(400, "Thinking level is not supported for this model.")
    if level is not None and str(level).lower() not in model.levels:
        raise errors.refused(400, f"Thinking level {str(level).upper()} is not supported for this model.")


def _contents(fields: dict[str, Any]) -> tuple[list[tuple[str, str]], list[str]]:
    contents = fields.get("contents")
    if not isinstance(contents, list) or not contents:
        raise errors.refused(400, "* GenerateContentRequest.contents: contents is not specified")
    texts: list[tuple[str, str]] = []
    images: list[str] = []
    system = _object(fields.get("systemInstruction"))
    for role, content in [("system", system), *((_object(one).get("role", "user"), _object(one)) for one in contents)]:
        for part in content.get("parts") or []:
            _read(_known(_object(part), PARTS, " at 'contents[0].parts[0]'"), str(role), texts, images)
    return texts, images


def _read(part: dict[str, Any], role: str, texts: list[tuple[str, str]], images: list[str]) -> None:
    if isinstance(part.get("text"), str):
        texts.append((role, part["text"]))
    if isinstance(part.get("inlineData"), dict):
        inline = _camel_keys(part["inlineData"])
        data = str(inline.get("data", ""))
        if data.startswith("data:"):
            raise errors.refused(
                400, "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed."
            )
        images.append(f"data:{inline.get('mimeType', 'image/jpeg')};base64,{data}")


def _known(fields: dict[str, Any], known: set[str], place: str) -> dict[str, Any]:
    found = {}
    for name, value in fields.items():
        camel = _camel(name)
        if camel not in known:
            raise errors.unknown_field(name, place)
        found[camel] = value
    return found


def _camel_keys(fields: dict[str, Any]) -> dict[str, Any]:
    return {_camel(name): value for name, value in fields.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def words_of(body: Any) -> str:
    """All the words, however malformed the request: what scenarios and magic words look at."""
    words = []
    fields = _camel_keys(_object(body))
    for content in [fields.get("systemInstruction"), *(fields.get("contents") or [])]:
        parts = _object(content).get("parts")
        words += [_object(part).get("text") for part in parts] if isinstance(parts, list) else []
    return "\n".join(word for word in words if isinstance(word, str))
