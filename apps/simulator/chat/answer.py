"""An answer to a question, the same for every wire: its words, its tokens, its price."""

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.simulator.chance import chance
from apps.simulator.chat.image_prompts import REFUSAL, image_prompt
from apps.simulator.chat.opinions import is_about_brands, opinion_on
from apps.simulator.chat.page_texts import fields_written, is_about_fields
from apps.simulator.chat.question import Question
from apps.simulator.chat.structured import fitted
from apps.simulator.scenarios import Effect

CHARACTERS_PER_TOKEN = 4
IMAGE_TILE = 448  # pixels; one tile is 256 tokens, at most six tiles and an overview
_MILLION = 10**6


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD for a million tokens, and for one web search."""

    input: Decimal = Decimal(1)
    cached: Decimal = Decimal("0.1")
    output: Decimal = Decimal(4)
    search: Decimal = Decimal("0.01")


INVENTED = Price()  # of a model whose price nobody has told


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """`reasoning` is never counted in `completion` here; each wire shows it in its own way."""

    prompt: int
    cached: int = 0
    completion: int
    reasoning: int = 0

    @property
    def output(self) -> int:
        return self.completion + self.reasoning

    @property
    def total(self) -> int:
        return self.prompt + self.output


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`model`: the name that the answer carries. `refusal` is said instead of `text`. `shown_usage`: what a scenario puts in
    the place of the true figures, or "missing".
    """

    id: str
    created: int
    model: str
    text: str
    refusal: str
    finish_reason: str
    tokens: Tokens
    cost: Decimal
    sources: tuple[tuple[str, str], ...]
    searches: int
    shown_usage: Any = None


def answer_to(
    question: Question,
    effect: Effect,
    *,
    answer_id: str,
    model: str,
    price: Price,
    reasons: bool,
    most_tokens: int | None,
    asked_before: int,
    now: float,
    seed: int,
) -> Answer:
    text, sources = _words(question, effect, model=model, asked_before=asked_before, seed=seed)
    refusal = (effect.refusal if isinstance(effect.refusal, str) else REFUSAL) if effect.refusal else ""
    finish_reason = effect.finish_reason or "stop"
    if effect.finish_reason == "length" or (most_tokens and tokens_of(text) > most_tokens):
        keep = most_tokens or tokens_of(text) // 2
        text, finish_reason = text[: keep * CHARACTERS_PER_TOKEN], "length"
    said = sum(tokens_of(words) + 4 for _, words in question.texts)
    seen = sum(image_tokens(each.width, each.height) for each in question.photographs)
    tokens = Tokens(
        prompt=said + seen,
        completion=tokens_of(refusal or text),
        reasoning=chance(said, text).randint(60, 240) if reasons else 0,
    )
    searches = (1 if sources else 0) if question.searches else 0
    return Answer(
        id=answer_id,
        created=int(now),
        model=effect.model or model,
        text="" if refusal else text,
        refusal=refusal,
        finish_reason=finish_reason,
        tokens=tokens,
        cost=cost_of(tokens, price, searches),
        sources=() if refusal else sources,
        searches=searches,
        shown_usage=effect.usage,
    )


def cost_of(tokens: Tokens, price: Price, searches: int) -> Decimal:
    fresh = (tokens.prompt - tokens.cached) * price.input + tokens.cached * price.cached
    return (fresh + tokens.output * price.output) / _MILLION + price.search * searches


def tokens_of(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def image_tokens(width: int, height: int) -> int:
    tiles = min(6, math.ceil(width / IMAGE_TILE) * math.ceil(height / IMAGE_TILE))
    return 256 * (tiles + 1)


def in_pieces(text: str) -> list[str]:
    """A few words at a time, as a stream brings them."""
    words = text.split(" ")
    return [" ".join(words[at : at + 3]) + (" " if at + 3 < len(words) else "") for at in range(0, len(words), 3)]


def _words(
    question: Question, effect: Effect, *, model: str, asked_before: int, seed: int
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What is said and what it leans on. Pictures are answered by an image prompt, words by an opinion."""
    if effect.text is not None:
        return effect.text, ()
    if question.photographs:
        text = image_prompt(question, seed=seed)
        return (_in_json(question, text) if question.as_json else text), ()
    asked = question.said_by("user")
    if question.as_json and question.schema and is_about_fields(question.schema):
        return json.dumps(fields_written(asked), ensure_ascii=False), ()
    opinion = opinion_on(asked, model=model, searches=question.searches, asked_before=asked_before, seed=seed)
    if not question.as_json:
        return opinion.text, opinion.sources
    if is_about_brands(question.schema):
        return json.dumps(opinion.structured(), ensure_ascii=False), opinion.sources
    return _in_json(question, opinion.text), opinion.sources


def _in_json(question: Question, text: str) -> str:
    value = fitted(question.schema, text) if question.schema else {"prompt": text}
    return json.dumps(value, ensure_ascii=False)
