"""A finished chat completion: text, token arithmetic, price."""

import json
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.simulator.chance import chance
from apps.simulator.chat.answer import CHARACTERS_PER_TOKEN, Answer, Tokens, image_tokens, in_pieces, tokens_of
from apps.simulator.chat.image_prompts import REFUSAL, image_prompt
from apps.simulator.chat.opinions import Opinion, is_about_brands, opinion_on
from apps.simulator.chat.structured import fitted
from apps.simulator.scenarios import Effect
from apps.simulator.xai.catalogue import TICKS_PER_USD, Model
from apps.simulator.xai.requests import ChatRequest

CACHED_TOKENS = 64
SEARCH_TICKS = 50_000_000  # of one web search
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
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def ticks(self) -> int:
        return self.usage.ticks(self.model) + (SEARCH_TICKS if self.sources else 0)

    @property
    def cost(self) -> Decimal:
        """USD."""
        return Decimal(self.ticks) / TICKS_PER_USD

    def as_answer(self, request: ChatRequest) -> Answer:
        """As the Responses interface tells it."""
        usage = self.usage
        return Answer(
            id=f"resp_{self.id}",
            created=self.created,
            model=self.model_name,
            text=self.texts[0],
            refusal="",
            finish_reason=self.finish_reason,
            tokens=Tokens(
                prompt=usage.text + usage.image,
                cached=usage.cached,
                completion=usage.completion,
                reasoning=usage.reasoning,
            ),
            cost=self.cost,
            sources=self.sources,
            searches=1 if self.sources else 0,
            shown_usage=self.shown_usage,
        )

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


def complete(
    request: ChatRequest, effect: Effect, *, seed: int, now: float, seen_before: bool, asked_before: int = 0
) -> Completion:
    opinion = _opinion(request, effect, seed=seed, asked_before=asked_before)
    texts = [_answer(request, effect, opinion, seed=seed + place) for place in range(request.choices)]
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
        sources=opinion.sources if opinion else (),
    )


def _opinion(request: ChatRequest, effect: Effect, *, seed: int, asked_before: int) -> Opinion | None:
    """Of a question about brands; None of any other, which is answered by an image prompt."""
    asked = request.said_by("user")
    is_question = request.searches or is_about_brands(request.schema) or asked.strip().endswith("?")
    if not is_question or request.photographs or effect.refusal or effect.text is not None:
        return None
    return opinion_on(asked, model=request.model.id, searches=request.searches, asked_before=asked_before, seed=seed)


def _answer(request: ChatRequest, effect: Effect, opinion: Opinion | None, *, seed: int) -> str:
    if effect.refusal:
        return effect.refusal if isinstance(effect.refusal, str) else REFUSAL
    if effect.text is not None:
        return effect.text
    text = opinion.text if opinion else image_prompt(request, seed=seed)
    if not request.as_json:
        return text
    if opinion and is_about_brands(request.schema):
        return json.dumps(opinion.structured(), ensure_ascii=False)
    return json.dumps(fitted(request.schema, text) if request.schema else {"prompt": text}, ensure_ascii=False)


def _usage(request: ChatRequest, texts: list[str], seen_before: bool) -> Usage:
    said = sum(tokens_of(text) + 4 for _, text in request.texts)
    return Usage(
        text=said,
        image=sum(image_tokens(each.width, each.height) for each in request.photographs),
        cached=min(CACHED_TOKENS, said) if seen_before else 0,
        completion=sum(tokens_of(text) for text in texts),
        reasoning=chance(said, *texts).randint(60, 240) if request.reasoning else 0,
    )
