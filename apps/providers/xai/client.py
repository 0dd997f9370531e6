"""The xAI client: one question, one answer, never a second try of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import structlog
from django.conf import settings

from apps.core.http import Reply
from apps.providers import http
from apps.providers.catalogue import same_model
from apps.providers.types import ChatAnswer, ChatRequest, ModelInfo
from apps.providers.xai import errors, payloads, stream

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class XaiClient:
    """`base` ends in /v1. Every method raises ProviderError and needs the seconds it may take in all."""

    key: str = field(repr=False)
    base: str

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.XAI_API_KEY, settings.XAI_API_BASE)

    def chat(self, request: ChatRequest, *, seconds: float) -> ChatAnswer:
        """A paid answer. One that was cut short or declined is an answer too: see `errors.shortcoming`."""
        reply = self._ask("POST", "/chat/completions", seconds=seconds, json=payloads.chat_body(request), paid=True)
        answer = payloads.read_answer(http.require_object("xai", reply), http_status=reply.status)
        note_differences(request.model, answer)
        return answer

    def chat_stream(self, request: ChatRequest, *, seconds: float) -> Iterator[str | ChatAnswer]:
        """The same paid answer as it is written: pieces of text, and at last the whole ChatAnswer.

        Pieces that came before an error are worth nothing. Leaving early closes the connection; xAI charges all the same.
        """
        body = payloads.chat_body(request, stream=True)
        for item in stream.read(url=f"{self.base}/chat/completions", key=self.key, body=body, seconds=seconds):
            if isinstance(item, ChatAnswer):
                note_differences(request.model, item)
            yield item

    def models(self, *, seconds: float = 10) -> list[ModelInfo]:
        """What can be asked today, with prices."""
        return payloads.read_models(http.require_object("xai", self._ask("GET", "/language-models", seconds=seconds)))

    def ping(self, *, seconds: float = 10) -> None:
        """Costs nothing: asks what the key is. Raises what is wrong."""
        self._ask("GET", "/api-key", seconds=seconds)

    def _ask(self, method: str, path: str, *, seconds: float, json: Any = None, paid: bool = False) -> Reply:
        reply = http.exchange("xai", method, self.base + path, key=self.key, seconds=seconds, json=json, paid=paid)
        errors.check(reply)
        return reply


def note_differences(asked: str, answer: ChatAnswer) -> None:
    """xAI redirects retired models silently, and its counts have changed meaning before: both are worth a line."""
    if answer.model and not same_model("xai", asked, answer.model):
        log.warning("another_model_answered", provider="xai", asked=asked, answered=answer.model)
    usage = answer.usage
    if usage.total and usage.total != usage.prompt + usage.billed_output:
        log.warning("token_counts_disagree", provider="xai", model=answer.model, usage=dict(usage.raw))
