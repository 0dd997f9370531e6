"""The models we know by name: what they can do, what became of them, what they cost.

Each provider's own stand in its folder (`models.py`) with their sources. A model that is not here is not refused: it is
asked for as it is, with nothing assumed about it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache

from django.utils.module_loading import import_string

from apps.providers.registry import PROVIDERS

_SNAPSHOT = re.compile(r"-20\d\d-\d\d-\d\d$")  # a dated name is the same model


@dataclass(frozen=True)
class TokenPrice:
    """USD for a million tokens; `long_*` from `long_from` prompt tokens on."""

    since: date
    input: Decimal
    cached: Decimal
    output: Decimal
    long_from: int | None = None

    def factor(self, prompt_tokens: int) -> int:
        """Long prompts cost double on every kind of token."""
        return 2 if self.long_from is not None and prompt_tokens >= self.long_from else 1


@dataclass(frozen=True)
class OutputPrice:
    """USD for one picture made."""

    since: date
    usd: Decimal


@dataclass(frozen=True)
class PicturePrice:
    """USD for a million tokens of a model that makes pictures from pictures: words in, pictures in, pictures out."""

    since: date
    text: Decimal
    picture: Decimal
    output: Decimal


class Web(Enum):
    """How a model searches the web.

    IN_THE_CALL: a tool of the same request. RESPONSES: by the Responses interface only. ALWAYS: it searches every time, and
    has no answer from memory.
    """

    NONE = "none"
    IN_THE_CALL = "in_the_call"
    RESPONSES = "responses"
    ALWAYS = "always"


@dataclass(frozen=True)
class Model:
    """`redirects_to`: the provider answers with that model instead, silently. `successor`: what to name in settings.

    `images`: takes them. `temperature`: takes one. `schema`: answers by a strict schema; `schema_with_web`: also when it
    searches. `retired`: its last day, past or to come. `search_usd`: of one web search.
    """

    name: str
    provider: str
    images: bool = True
    temperature: bool = True
    schema: bool = True
    web: Web = Web.NONE
    schema_with_web: bool = True
    search_usd: Decimal | None = None
    efforts: tuple[str, ...] = ()
    reasons: bool = False
    aliases: tuple[str, ...] = ()
    retired: date | None = None
    redirects_to: str = ""
    successor: str = ""
    prices: tuple[TokenPrice, ...] = ()
    max_images: int | None = None
    output_prices: tuple[OutputPrice, ...] = ()
    picture_prices: tuple[PicturePrice, ...] = ()

    @property
    def is_gone(self) -> bool:
        return self.retired is not None and self.retired <= datetime.now(UTC).date()


def tokens(since: date, input_usd: str, cached_usd: str, output_usd: str, long_from: int | None = None) -> TokenPrice:
    """A price from a day on, in USD for a million tokens; from `long_from` prompt tokens on it is double."""
    return TokenPrice(since, Decimal(input_usd), Decimal(cached_usd), Decimal(output_usd), long_from)


@cache
def all_models() -> tuple[Model, ...]:
    return tuple(model for provider in PROVIDERS.values() for model in import_string(provider.models))


@cache
def _by_name() -> dict[tuple[str, str], Model]:
    return {(model.provider, name): model for model in all_models() for name in (model.name, *model.aliases)}


def find_model(provider: str, name: str) -> Model | None:
    return _by_name().get((provider, name)) or _by_name().get((provider, _SNAPSHOT.sub("", name)))


def names_of(provider: str) -> list[str]:
    return [model.name for model in all_models() if model.provider == provider]


def same_model(provider: str, asked: str, answered: str) -> bool:
    """Whether the answer came from the model asked for, an alias and its dated name being one."""
    first, second = find_model(provider, asked), find_model(provider, answered)
    return asked == answered or (first is not None and first is second)


def fate_of(provider: str, name: str) -> str:
    """What became of a model, in words for whoever named it; empty for one that is there, or that we do not know."""
    known = find_model(provider, name)
    if known is None or known.retired is None or not known.is_gone:
        return ""
    since = f"{name} was retired on {known.retired.day} {known.retired:%B %Y}"
    answers = f"{known.redirects_to} answers instead, at its own price" if known.redirects_to else "it answers no more"
    return f"{since}: {answers}." + (f" Name {known.successor} instead." if known.successor else "")
