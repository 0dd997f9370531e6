"""The wire shapes of Gemini's generateContent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.providers.chat import effort_for, parsed, priced, schema_for, temperature_for
from apps.providers.errors import MalformedOutput
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, Source, TextPart, Usage

_DATA_URI = re.compile(r"data:(?P<type>[\w/+.-]+);base64,(?P<data>.*)", re.DOTALL)
_DECLINED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT"}
    | {"MODEL_ARMOR", "JAILBREAK"}
)


def body_of(request: ChatRequest) -> dict[str, Any]:
    """No seed: equal seeds make equal answers. `maxOutputTokens` counts thoughts as well."""
    config: dict[str, Any] = {"maxOutputTokens": request.max_tokens, "candidateCount": 1}
    temperature = temperature_for("gemini", request.model, request.temperature)
    if temperature is not None:
        config["temperature"] = temperature
    effort = effort_for("gemini", request.model, request.effort)
    if effort:
        config["thinkingConfig"] = {"thinkingLevel": effort}
    schema = schema_for("gemini", request)
    if schema:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": dict(schema.schema)}
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [_part(part) for part in request.parts]}],
        "generationConfig": config,
    }
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.web_search:
        body["tools"] = [{"google_search": {}}]
    return body


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    found = _DATA_URI.fullmatch(part.data_uri)
    if found is None:
        raise ValueError("A picture for Gemini is a base64 data URI.")
    return {"inlineData": {"mimeType": found["type"], "data": found["data"]}}


@dataclass
class Draft:
    """What has come so far, of an answer in one piece or in many: each brings new parts, the last usage counts."""

    request: ChatRequest
    id: str = ""
    model: str = ""
    finish_reason: str = ""
    blocked: str = ""
    texts: list[str] = field(default_factory=list)
    usage: Any = None
    grounding: dict[str, Any] = field(default_factory=dict)

    def add(self, data: Mapping[str, Any]) -> str:
        """The new words, "" when there are none."""
        self.id = str(data.get("responseId") or self.id)
        self.model = str(data.get("modelVersion") or self.model)
        self.usage = data.get("usageMetadata") or self.usage
        self.blocked = str(_object(data.get("promptFeedback")).get("blockReason") or self.blocked)
        candidates = data.get("candidates")
        candidate = _object(candidates[0]) if isinstance(candidates, list) and candidates else {}
        self.finish_reason = str(candidate.get("finishReason") or self.finish_reason)
        self.grounding |= _object(candidate.get("groundingMetadata"))
        text = "".join(_words_of(candidate))
        self.texts.append(text)
        return text

    @property
    def is_over(self) -> bool:
        return bool(self.finish_reason or self.blocked)

    def answer(self, *, http_status: int) -> ChatAnswer:
        """Raises MalformedOutput when neither an answer nor a reason for none has come."""
        usage = read_usage(self.usage)
        searches, sources = self._searched()
        cost, cost_source = self._cost(usage, searches)
        if not self.is_over:
            raise MalformedOutput(
                "gemini",
                detail="The answer has no candidates.",
                http_status=http_status,
                cost_usd=cost,
                cost_source=cost_source,
            )
        text = "".join(self.texts)
        return ChatAnswer(
            id=self.id,
            model=self.model,
            text=text,
            refusal=self._refusal(),
            finish_reason=self._finish(),
            usage=usage,
            cost_usd=cost,
            cost_source=cost_source,
            http_status=http_status,
            parsed=parsed(schema_for("gemini", self.request), text),
            searches=searches,
            sources=sources,
        )

    def _cost(self, usage: Usage, searches: int) -> tuple[Any, str]:
        if not usage.prompt:
            return None, "none"
        return priced("gemini", self.model or self.request.model, usage, searches=searches)

    def _refusal(self) -> str:
        declined = self.blocked or (self.finish_reason if self.finish_reason in _DECLINED else "")
        return f"Declined: {declined}." if declined else ""

    def _finish(self) -> str:
        if self.blocked or self.finish_reason in _DECLINED:
            return "content_filter"
        return {"STOP": "stop", "MAX_TOKENS": "length"}.get(self.finish_reason, self.finish_reason.lower())

    def _searched(self) -> tuple[int, tuple[Source, ...] | None]:
        """How often, and the pages; of a search whose sources were left out, None."""
        queries = self.grounding.get("webSearchQueries")
        chunks = self.grounding.get("groundingChunks")
        count = len(queries) if isinstance(queries, list) else 0
        if not isinstance(chunks, list):
            return count, None if count else ()
        cited = {
            index
            for support in _list(self.grounding.get("groundingSupports"))
            for index in _list(_object(support).get("groundingChunkIndices"))
        }
        found = [
            Source(web["uri"], str(web.get("title") or ""), cited=place in cited)
            for place, web in enumerate(_object(_object(chunk).get("web")) for chunk in chunks)
            if isinstance(web.get("uri"), str)
        ]
        return max(count, 1 if found else 0), tuple(found)


def read_usage(usage: Any) -> Usage:
    """What is zero is left out by them. Thoughts stand beside the answer's tokens, and what a tool read in the prompt."""
    raw = usage if isinstance(usage, dict) else {}
    return Usage(
        prompt=_count(raw, "promptTokenCount") + _count(raw, "toolUsePromptTokenCount"),
        cached=_count(raw, "cachedContentTokenCount"),
        completion=_count(raw, "candidatesTokenCount"),
        reasoning=_count(raw, "thoughtsTokenCount"),
        total=_count(raw, "totalTokenCount"),
        raw=raw,
    )


def _words_of(candidate: Mapping[str, Any]) -> Iterator[str]:
    """Of every part that is no thought."""
    for part in _list(_object(candidate.get("content")).get("parts")):
        text = _object(part).get("text")
        if isinstance(text, str) and part.get("thought") is not True:
            yield text


def _count(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
