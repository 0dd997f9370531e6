"""Reads a streamed answer: `data:` lines, each a chunk, then `data: [DONE]`."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from apps.core.http import HttpFailure, NotAStream, stream_lines
from apps.providers import http
from apps.providers.errors import TransientNetwork
from apps.providers.openai_wire import completions, errors
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.types import ChatAnswer, ChatRequest

DONE = "[DONE]"


@dataclass
class Draft:
    """What has come so far. The usage is on the last chunk, or grows from chunk to chunk: the last one counts."""

    dialect: Dialect
    request: ChatRequest | None = None
    id: str = ""
    model: str = ""
    finish_reason: str = ""
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)
    usage: Any = None

    def add(self, chunk: Mapping[str, Any]) -> str:
        """The new piece of text, "" when there is none."""
        self.id = str(chunk.get("id") or self.id)
        self.model = str(chunk.get("model") or self.model)
        self.usage = chunk.get("usage") or self.usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        delta: Mapping[str, Any] = choice["delta"] if isinstance(choice.get("delta"), dict) else {}
        self.finish_reason = str(choice.get("finish_reason") or self.finish_reason)
        self.refusals.append(str(delta.get("refusal") or ""))
        annotations = delta.get("annotations")
        self.annotations += annotations if isinstance(annotations, list) else []
        text = delta.get("content")
        self.texts.append(text if isinstance(text, str) else "")
        return self.texts[-1]

    def answer(self) -> ChatAnswer:
        return completions.make_answer(
            self.dialect,
            answer_id=self.id,
            model=self.model,
            text="".join(self.texts),
            refusal="".join(self.refusals),
            finish_reason=self.finish_reason or "stop",
            usage=self.usage,
            http_status=200,
            annotations=self.annotations,
            request=self.request,
        )


def read(
    dialect: Dialect, request: ChatRequest, *, url: str, headers: Mapping[str, str], seconds: float
) -> Iterator[str | ChatAnswer]:
    """Pieces of text, then the answer. Raises ProviderError at any point.

    One that breaks off after its last piece is whole: it was paid for, and nothing of it is missing but the usage, perhaps.
    """
    draft = Draft(dialect, request)
    body, limit = completions.body_of(dialect, request, stream=True), http.MAX_JSON_BYTES
    lines = cast(
        "Generator[str]", stream_lines("POST", url, headers=headers, json=body, seconds=seconds, max_bytes=limit)
    )
    try:
        with closing(lines):  # a reader that leaves early closes the connection now, not at some collection
            yield from _assemble(lines, draft)
    except NotAStream as failure:
        # An error, or a provider that answered in one piece after all.
        errors.check(dialect, failure.reply)
        data = http.require_object(dialect.provider, failure.reply)
        answer = completions.read_answer(dialect, data, http_status=failure.reply.status, request=request)
        yield answer.text
        yield answer
    except HttpFailure as failure:
        if not draft.finish_reason:
            raise http.network_error(dialect.provider, failure) from failure
        yield draft.answer()


def _assemble(lines: Iterator[str], draft: Draft) -> Iterator[str | ChatAnswer]:
    """Lines that begin with a colon are only there to keep the connection open."""
    done = False
    for line in lines:
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        done = data == DONE
        if done:
            break
        chunk = http.read_json(data.encode()) if data else None
        if isinstance(chunk, dict):
            if errors.is_fault(chunk):  # an error in mid-stream comes with HTTP 200
                draft.add(chunk)
                said = {**chunk, "model": draft.model, "usage": draft.usage}
                reply = http.Reply(200, {}, data.encode())
                raise errors.classify(draft.dialect, errors.fault_of(reply, chunk), said)
            if piece := draft.add(chunk):
                yield piece
    if not done and not draft.finish_reason:
        raise TransientNetwork(draft.dialect.provider, detail="The stream ended in the middle.", sent=None)
    yield draft.answer()
