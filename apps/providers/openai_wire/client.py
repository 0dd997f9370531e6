"""A client of this wire: one question, one answer, never a second try of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import structlog
from django.conf import settings

from apps.core.http import Reply
from apps.providers import http
from apps.providers.catalogue import Web, find_model
from apps.providers.chat import is_another_model
from apps.providers.openai_wire import completions, errors, responses, stream
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.types import ChatAnswer, ChatRequest

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class WireClient:
    """`base` ends in /v1. Every method raises ProviderError and needs the seconds it may take in all.

    A provider's own client names its dialect, and the address that tells without cost whether the key is good.
    """

    dialect: ClassVar[Dialect]
    health_path: ClassVar[str] = "/models"

    key: str = field(repr=False)
    base: str

    @classmethod
    def from_settings(cls) -> Self:
        name = cls.dialect.provider
        return cls(settings.PROVIDER_KEYS[name], settings.PROVIDER_BASES[name])

    def chat(self, request: ChatRequest, *, seconds: float) -> ChatAnswer:
        """A paid answer. One that was cut short or declined is an answer too: see `chat.shortcoming`."""
        if self._needs_responses(request):
            return self._respond(request, seconds=seconds)
        body = completions.body_of(self.dialect, request)
        reply = self._ask("POST", "/chat/completions", seconds=seconds, json=body, paid=True)
        data = http.require_object(self.dialect.provider, reply)
        answer = completions.read_answer(self.dialect, data, http_status=reply.status, request=request)
        self._note_differences(request.model, answer)
        return answer

    def chat_stream(self, request: ChatRequest, *, seconds: float) -> Iterator[str | ChatAnswer]:
        """The same paid answer as it is written: pieces of text, and at last the whole ChatAnswer.

        Pieces that came before an error are worth nothing. Leaving early closes the connection, and is charged all the same.
        An answer that searches by the Responses interface comes in one piece.
        """
        if self._needs_responses(request):
            answer = self._respond(request, seconds=seconds)
            yield answer.text
            yield answer
            return
        url = f"{self.base}/chat/completions"
        for item in stream.read(self.dialect, request, url=url, headers=self._headers(), seconds=seconds):
            if isinstance(item, ChatAnswer):
                self._note_differences(request.model, item)
            yield item

    def ping(self, *, seconds: float = 10) -> None:
        """Costs nothing: whether the provider answers and takes the key. Raises what is wrong."""
        self._ask("GET", self.health_path, seconds=seconds)

    def _needs_responses(self, request: ChatRequest) -> bool:
        known = find_model(self.dialect.provider, request.model)
        return request.web_search and known is not None and known.web is Web.RESPONSES

    def _respond(self, request: ChatRequest, *, seconds: float) -> ChatAnswer:
        body = responses.body_of(self.dialect, request)
        reply = self._ask("POST", responses.PATH, seconds=seconds, json=body, paid=True)
        data = http.require_object(self.dialect.provider, reply)
        answer = responses.read_answer(self.dialect, data, http_status=reply.status, request=request)
        self._note_differences(request.model, answer)
        return answer

    def _headers(self) -> dict[str, str]:
        return http.bearer(self.key) | dict(self.dialect.headers)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        json: Any = None,
        paid: bool = False,
        leaves_by: float | None = None,
        max_bytes: int = http.MAX_JSON_BYTES,
    ) -> Reply:
        reply = http.exchange(
            self.dialect.provider,
            method,
            self.base + path,
            headers=self._headers(),
            seconds=seconds,
            json=json,
            paid=paid,
            leaves_by=leaves_by,
            max_bytes=max_bytes,
        )
        errors.check(self.dialect, reply)
        return reply

    def _note_differences(self, asked: str, answer: ChatAnswer) -> None:
        """Another model than was asked, and counts that changed their meaning, are both worth a line."""
        provider, usage = self.dialect.provider, answer.usage
        if is_another_model(provider, asked, answer):
            log.warning("another_model_answered", provider=provider, asked=asked, answered=answer.model)
        if usage.total and usage.total != usage.prompt + usage.billed_output:
            log.warning("token_counts_disagree", provider=provider, model=answer.model, usage=dict(usage.raw))
