"""The models we know by name: what they can do, what became of them, what they cost.

Sources: docs.x.ai models and migration pages, wavespeed.ai model pages, read 22 Nov 2026. A model that is not here is
not refused: it is asked for as it is, with nothing assumed about it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


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
class Model:
    """`redirects_to`: the provider answers with that model instead, silently. `successor`: what to name in settings."""

    name: str
    provider: str
    images: bool = True
    efforts: tuple[str, ...] = ()
    reasons: bool = False
    aliases: tuple[str, ...] = ()
    retired: date | None = None
    redirects_to: str = ""
    successor: str = ""
    prices: tuple[TokenPrice, ...] = ()
    max_images: int | None = None
    output_prices: tuple[OutputPrice, ...] = ()


def _tokens(since: date, input_usd: str, cached_usd: str, output_usd: str, long_from: int | None) -> TokenPrice:
    return TokenPrice(since, Decimal(input_usd), Decimal(cached_usd), Decimal(output_usd), long_from)


_FLAGSHIP = (_tokens(date(2026, 7, 1), "2.00", "0.50", "6.00", 200_000),)
_SMALL = (_tokens(date(2026, 4, 1), "1.25", "0.20", "2.50", 200_000),)
_GROK_4_3 = (_tokens(date(2026, 4, 1), "1.25", "0.20", "2.50", None),)
_XAI_RETIREMENT = date(2026, 5, 15)
_READ = date(2026, 11, 22)


def _grok(name: str, efforts: tuple[str, ...], prices: tuple[TokenPrice, ...], **more: object) -> Model:
    return Model(name, "xai", efforts=efforts, prices=prices, **more)  # type: ignore[arg-type]


def _retired(name: str, *aliases: str) -> Model:
    return Model(
        name, "xai", aliases=aliases, retired=_XAI_RETIREMENT, redirects_to="grok-4.3", successor="grok-4.3",
        prices=_GROK_4_3,
    )  # fmt: skip


def _makes(name: str, usd: str, **more: object) -> Model:
    """A model that makes pictures; WaveSpeed's own figure (its price endpoint) goes before this one."""
    return Model(name, "wavespeed", output_prices=(OutputPrice(_READ, Decimal(usd)),), **more)  # type: ignore[arg-type]


def _seedream(name: str, usd: str, successor: str = "") -> Model:
    return _makes(name, usd, images=name.endswith("/edit"), max_images=10, successor=successor)


MODELS: tuple[Model, ...] = (
    _grok("grok-4.7", ("low", "medium", "high", "xhigh"), _FLAGSHIP, reasons=True),
    _grok("grok-4.6", ("low", "medium", "high", "xhigh"), _FLAGSHIP, reasons=True),
    _grok("grok-4.5", ("low", "medium", "high"), _FLAGSHIP, reasons=True),
    _grok("grok-4.3", ("none", "low", "medium", "high"), _GROK_4_3, reasons=True),
    _grok("grok-4.20-0309-reasoning", (), _SMALL, reasons=True, aliases=("grok-4.20", "grok-4.20-reasoning")),
    _grok("grok-4.20-0309-non-reasoning", (), _SMALL, aliases=("grok-4.20-non-reasoning",)),
    _retired("grok-4-0709", "grok-4", "grok-4-latest"),
    _retired("grok-4-fast-reasoning", "grok-4-fast"),
    _retired("grok-4-fast-non-reasoning"),
    _retired("grok-4-1-fast-reasoning", "grok-4-1-fast"),
    _retired("grok-4-1-fast-non-reasoning"),
    _retired("grok-3", "grok-3-latest"),
    _retired("grok-code-fast-1"),
    Model("grok-2-vision-1212", "xai", aliases=("grok-2-vision", "grok-2-vision-latest"), retired=date(2026, 3, 1),
          successor="grok-4.3"),
    Model("grok-2-image-1212", "xai", images=False, aliases=("grok-2-image",), retired=date(2026, 3, 1),
          successor="grok-imagine-image-2.0"),
    _seedream("bytedance/seedream-v4.5/edit", "0.04"),
    _seedream("bytedance/seedream-v4.5", "0.04"),
    _seedream("bytedance/seedream-v4/edit", "0.027"),
    _seedream("bytedance/seedream-v4", "0.027"),
    _makes("google/nano-banana/edit", "0.038", max_images=10),
    _makes("google/nano-banana-pro/edit", "0.14", max_images=14),
    _makes("wavespeed-ai/qwen-image/edit", "0.02", max_images=1),
    _makes("wavespeed-ai/z-image/turbo", "0.005", images=False),
)  # fmt: skip

_BY_NAME = {(model.provider, name): model for model in MODELS for name in (model.name, *model.aliases)}


def find_model(provider: str, name: str) -> Model | None:
    return _BY_NAME.get((provider, name))


def names_of(provider: str) -> list[str]:
    return [model.name for model in MODELS if model.provider == provider]


def same_model(provider: str, asked: str, answered: str) -> bool:
    """Whether the answer came from the model asked for, an alias and its dated name being one."""
    first, second = find_model(provider, asked), find_model(provider, answered)
    return asked == answered or (first is not None and first is second)


def fate_of(provider: str, name: str) -> str:
    """What became of a model, in words for whoever named it; empty for one that is there, or that we do not know."""
    known = find_model(provider, name)
    if known is None or known.retired is None:
        return ""
    since = f"{name} was retired on {known.retired.day} {known.retired:%B %Y}"
    answers = f"{known.redirects_to} answers instead, at its own price" if known.redirects_to else "it answers no more"
    return f"{since}: {answers}." + (f" Name {known.successor} instead." if known.successor else "")
