"""A finished chat completion: text, token arithmetic, price."""

import json
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.simulator.chance import chance
from apps.simulator.scenarios import Effect
from apps.simulator.xai.answers import REFUSAL, image_prompt
from apps.simulator.xai.catalogue import TICKS_PER_USD, Model
from apps.simulator.xai.requests import ChatRequest
from apps.simulator.xai.structured import fitted

CHARACTERS_PER_TOKEN = 4
IMAGE_TILE = 448  # pixels; one tile is 256 tokens, at most six tiles and an overview
CACHED_TOKENS = 64
FINGERPRINT = "fp_1fb66439292298c7"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens. xAI's total is prompt + completion + reasoning: reasoning is additional, not inside completion."""

    text: int
    image: int
    cached: int
    completion: int
    reasoning: int

    @property
    def total(self) -> int:
        return self.text + self.image + self.completion + self.reasoning

    def ticks(self, model: Model) -> int:
        return model.cost_ticks(
            prompt=self.text + self.image, cached=self.cached, output=self.completion + self.reasoning
        )

    def as_json(self, model: Model) -> dict[str, Any]:
        return {
            "prompt_tokens": self.text + self.image,
            "completion_tokens": self.completion,
            "total_tokens": self.total,
            "prompt_tokens_details": {
                "text_tokens": self.text, "audio_tokens": 0, "image_tokens": self.image, "cached_tokens": self.cached,
            },
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
            "num_sources_used": 0,
            "cost_in_usd_ticks": self.ticks(model),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Completion:
    id: str
    created: int
    model_name: str
    model: Model
    texts: tuple[str, ...]
    finish_reason: str
    usage: Usage
    shown_usage: Any = None  # instead of the true one, or "missing"

    @property
    def cost(self) -> Decimal:
        """USD."""
        return Decimal(self.usage.ticks(self.model)) / TICKS_PER_USD

    def as_json(self) -> dict[str, Any]:
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": self.finish_reason,
            }
            for index, text in enumerate(self.texts)
        ]
        return self._envelope("chat.completion", choices) | self._usage()

    def chunks(self) -> list[dict[str, Any]]:
        """Role, then a few words at a time, then the finish with the usage."""
        pieces = [{"role": "assistant", "content": ""}, *({"content": each} for each in in_pieces(self.texts[0]))]
        chunks = [self._chunk(piece, None) for piece in pieces]
        return [*chunks, self._chunk({}, self.finish_reason) | self._usage()]

    def _usage(self) -> dict[str, Any]:
        if self.shown_usage == "missing":
            return {}
        return {"usage": self.usage.as_json(self.model) if self.shown_usage is None else self.shown_usage}

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        return self._envelope("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def _envelope(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id, "object": kind, "created": self.created, "model": self.model_name, "choices": choices,
            "system_fingerprint": FINGERPRINT,
        }  # fmt: skip


def in_pieces(text: str) -> list[str]:
    words = text.split(" ")
    return [" ".join(words[at : at + 3]) + (" " if at + 3 < len(words) else "") for at in range(0, len(words), 3)]


def complete(request: ChatRequest, effect: Effect, *, seed: int, now: float, seen_before: bool) -> Completion:
    texts = [_answer(request, effect, seed=seed + place) for place in range(request.choices)]
    finish_reason = effect.finish_reason or "stop"
    limit = request.most_tokens
    if effect.finish_reason == "length" or (limit and tokens_of(texts[0]) > limit):
        keep = limit or tokens_of(texts[0]) // 2
        texts, finish_reason = [text[: keep * CHARACTERS_PER_TOKEN] for text in texts], "length"
    return Completion(
        id=str(uuid.uuid4()),
        created=int(now),
        model_name=effect.model or request.model.id,
        model=request.model,
        texts=tuple(texts),
        finish_reason=finish_reason,
        usage=_usage(request, texts, seen_before),
        shown_usage=effect.usage,
    )


def _answer(request: ChatRequest, effect: Effect, *, seed: int) -> str:
    if effect.refusal:
        return effect.refusal if isinstance(effect.refusal, str) else REFUSAL
    if effect.text is not None:
        return effect.text
    text = image_prompt(request, seed=seed)
    kind = request.response_format.get("type", "text")
    if kind == "text":
        return text
    schema = (request.response_format.get("json_schema") or {}).get("schema")
    return json.dumps(fitted(schema, text) if schema else {"prompt": text}, ensure_ascii=False)


def _usage(request: ChatRequest, texts: list[str], seen_before: bool) -> Usage:
    said = sum(tokens_of(text) + 4 for _, text in request.texts)
    return Usage(
        text=said,
        image=sum(image_tokens(each.width, each.height) for each in request.photographs),
        cached=min(CACHED_TOKENS, said) if seen_before else 0,
        completion=sum(tokens_of(text) for text in texts),
        reasoning=chance(said, *texts).randint(60, 240) if request.reasoning else 0,
    )


def tokens_of(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def image_tokens(width: int, height: int) -> int:
    tiles = min(6, math.ceil(width / IMAGE_TILE) * math.ceil(height / IMAGE_TILE))
    return 256 * (tiles + 1)
