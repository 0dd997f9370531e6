"""The Gemini client: one question, one answer, never a second try of its own."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Self, cast
from urllib.parse import quote

import orjson
import structlog
from django.conf import settings

from apps.core.http import HttpFailure, NotAStream, Reply, stream_lines
from apps.providers import http
from apps.providers.chat import is_another_model
from apps.providers.errors import TransientNetwork
from apps.providers.gemini import errors
from apps.providers.gemini.payloads import Draft, body_of
from apps.providers.types import ChatAnswer, ChatRequest, ModelInfo

log = structlog.get_logger(__name__)

VERSION = "/v1beta"  # schemas and the newest names are here first


@dataclass(frozen=True)
class GeminiClient:
    """`base` is the host. Every method raises ProviderError and needs the seconds it may take in all."""

    key: str = field(repr=False)
    base: str

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.PROVIDER_KEYS["gemini"], settings.PROVIDER_BASES["gemini"])

    def chat(self, request: ChatRequest, *, seconds: float) -> ChatAnswer:
        """A paid answer. One that was cut short or declined is an answer too: see `chat.shortcoming`."""
        path = f"{_model_path(request.model)}:generateContent"
        reply = self._ask("POST", path, seconds=seconds, json=body_of(request), paid=True)
        draft = Draft(request)
        draft.add(http.require_object("gemini", reply))
        return self._noted(request, draft.answer(http_status=reply.status))

    def chat_stream(self, request: ChatRequest, *, seconds: float) -> Iterator[str | ChatAnswer]:
        """The same paid answer as it is written. No mark ends the stream: the reason why it finished does."""
        url = f"{self.base}{VERSION}{_model_path(request.model)}:streamGenerateContent?alt=sse"
        lines = cast(
            "Generator[str]",
            stream_lines(
                "POST",
                url,
                headers=self._headers(),
                json=body_of(request),
                seconds=seconds,
                max_bytes=http.MAX_JSON_BYTES,
            ),
        )
        draft = Draft(request)
        try:
            with closing(lines):
                yield from _pieces(lines, draft)
        except NotAStream as failure:
            errors.check(failure.reply)
            draft.add(http.require_object("gemini", failure.reply))
            yield "".join(draft.texts)
        except HttpFailure as failure:
            if not draft.is_over:
                raise http.network_error("gemini", failure) from failure
        if not draft.is_over:
            raise TransientNetwork("gemini", detail="The stream ended in the middle.", sent=None)
        yield self._noted(request, draft.answer(http_status=200))

    def models(self, *, seconds: float = 10) -> list[ModelInfo]:
        """What can be asked today; no prices."""
        listed = http.require_object("gemini", self._ask("GET", "/models?pageSize=1000", seconds=seconds)).get("models")
        items = listed if isinstance(listed, list) else []
        names = [item["name"] for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)]
        return [ModelInfo(id=name.removeprefix("models/")) for name in names]

    def ping(self, *, seconds: float = 10) -> None:
        """Costs nothing: whether it answers and takes the key. Raises what is wrong."""
        self._ask("GET", "/models?pageSize=1", seconds=seconds)

    def _headers(self) -> Mapping[str, str]:
        return {"x-goog-api-key": self.key} if self.key else {}

    def _ask(self, method: str, path: str, *, seconds: float, json: Any = None, paid: bool = False) -> Reply:
        url = self.base + VERSION + path
        reply = http.exchange("gemini", method, url, headers=self._headers(), seconds=seconds, json=json, paid=paid)
        errors.check(reply)
        return reply

    def _noted(self, request: ChatRequest, answer: ChatAnswer) -> ChatAnswer:
        usage = answer.usage
        if is_another_model("gemini", request.model, answer):
            log.warning("another_model_answered", provider="gemini", asked=request.model, answered=answer.model)
        if usage.total and usage.total != usage.prompt + usage.billed_output:
            log.warning("token_counts_disagree", provider="gemini", model=answer.model, usage=dict(usage.raw))
        return answer


def _model_path(model: str) -> str:
    return f"/models/{quote(model, safe='')}"


def _pieces(lines: Iterator[str], draft: Draft) -> Iterator[str]:
    for line in lines:
        chunk = http.read_json(line.removeprefix("data:").strip().encode()) if line.startswith("data:") else None
        if isinstance(chunk, dict):
            if chunk.get("error"):  # in mid-stream it comes with HTTP 200
                raise errors.classify(_with_own_status(chunk), chunk)
            if piece := draft.add(chunk):
                yield piece


def _with_own_status(chunk: Mapping[str, Any]) -> http.Fault:
    """The error's code is the status it would have had."""
    fault = http.read_fault(Reply(200, {}, orjson.dumps(chunk)))
    code = chunk["error"].get("code") if isinstance(chunk["error"], Mapping) else None
    return http.Fault(code if isinstance(code, int) else 200, fault.code, fault.text, fault.retry_after, True)
