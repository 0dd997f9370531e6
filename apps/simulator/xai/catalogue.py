"""xAI's language models, prices and retired names (docs.x.ai, November 2026)."""

from dataclasses import dataclass

TICKS_PER_USD = 10**10
LONG_PROMPT = 200_000  # tokens; from here on the prices double


@dataclass(frozen=True, kw_only=True)
class Model:
    """Prices in hundredths of a US cent per million tokens (12500 = $1.25), as `/language-models` gives them."""

    id: str
    prompt_price: int
    cached_price: int
    completion_price: int
    context: int
    created: int
    aliases: tuple[str, ...] = ()
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    doubles: bool = False

    def reasons_with(self, effort: str | None) -> bool:
        return bool(self.efforts) and (effort or self.default_effort) != "none"

    def cost_ticks(self, *, prompt: int, cached: int, output: int) -> int:
        """Ticks of 1e-10 USD; `prompt` includes `cached`, `output` includes reasoning, all in tokens."""
        one = (prompt - cached) * self.prompt_price + cached * self.cached_price + output * self.completion_price
        return one * (2 if self.doubles and prompt >= LONG_PROMPT else 1)


MODELS = (
    Model(id="grok-4.7", prompt_price=20000, cached_price=5000, completion_price=60000, context=500_000,
          created=1789948800, efforts=("low", "medium", "high", "xhigh"), default_effort="high", doubles=True),
    Model(id="grok-4.6", prompt_price=20000, cached_price=5000, completion_price=60000, context=500_000,
          created=1786492800, efforts=("low", "medium", "high", "xhigh"), default_effort="high", doubles=True),
    Model(id="grok-4.5", prompt_price=20000, cached_price=5000, completion_price=60000, context=500_000,
          created=1783296000, efforts=("low", "medium", "high"), default_effort="high"),
    Model(id="grok-4.3", prompt_price=12500, cached_price=2000, completion_price=25000, context=1_000_000,
          created=1776384000, efforts=("none", "low", "medium", "high"), default_effort="low",
          aliases=("grok-4.3-latest", "grok-latest")),
    Model(id="grok-4.20-0309-reasoning", prompt_price=12500, cached_price=2000, completion_price=25000,
          context=1_000_000, created=1773014400, efforts=("low", "high"), default_effort="low", doubles=True,
          aliases=("grok-4.20", "grok-4.20-reasoning")),
    Model(id="grok-4.20-0309-non-reasoning", prompt_price=12500, cached_price=2000, completion_price=25000,
          context=1_000_000, created=1773014400, doubles=True, aliases=("grok-4.20-non-reasoning",)),
    Model(id="grok-build-0.1", prompt_price=10000, cached_price=2000, completion_price=20000, context=256_000,
          created=1779840000),
)  # fmt: skip

_BY_NAME = {name: model for model in MODELS for name in (model.id, *model.aliases)}
_RETIRED = ("grok-4", "grok-4-0709", "grok-4-latest", "grok-3", "grok-3-latest", "grok-code-fast-1")
_RETIRED_FAMILIES = ("grok-4-fast", "grok-4-1-fast")


@dataclass(frozen=True)
class Resolved:
    """`effort` is what a retired name implies; None leaves the request's own."""

    model: Model
    effort: str | None = None


def resolve(name: str) -> Resolved | None:
    """None when there is no such model. Retired names answer as grok-4.3, without a word, as xAI does."""
    if name in _BY_NAME:
        return Resolved(_BY_NAME[name])
    if name in _RETIRED or name.startswith(_RETIRED_FAMILIES):
        return Resolved(_BY_NAME["grok-4.3"], "none" if name.endswith("non-reasoning") else "low")
    return None


def listing(model: Model) -> dict:
    return {"id": model.id, "created": model.created, "object": "model", "owned_by": "xai"}


def detailed(model: Model) -> dict:
    return {
        **listing(model),
        "fingerprint": f"fp_{model.created:x}",
        "version": "1.0",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "prompt_text_token_price": model.prompt_price,
        "cached_prompt_text_token_price": model.cached_price,
        "prompt_image_token_price": model.prompt_price,
        "completion_text_token_price": model.completion_price,
        "search_price": 0,
        "aliases": list(model.aliases),
    }
