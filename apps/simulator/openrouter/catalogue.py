"""Models that OpenRouter lists, what each of them takes, and who serves it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.simulator.chat.answer import INVENTED, Price

_MILLION = 10**6
_USUAL = (
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "response_format",
    "structured_outputs",
    "tools",
    "tool_choice",
)


@dataclass(frozen=True, kw_only=True)
class Model:
    """`takes`: its supported parameters."""

    id: str
    provider: str
    images: bool = True
    reasons: bool = False
    always_searches: bool = False
    takes: tuple[str, ...] = (*_USUAL, "temperature", "top_p")
    price: Price = INVENTED

    def as_json(self) -> dict[str, Any]:
        inputs = ["text", "image"] if self.images else ["text"]
        return {
            "id": self.id,
            "canonical_slug": self.id,
            "name": self.id,
            "created": 1780000000,
            "description": "",
            "context_length": 200_000,
            "architecture": {
                "modality": f"{'+'.join(inputs)}->text",
                "input_modalities": inputs,
                "output_modalities": ["text"],
                "tokenizer": "Other",
                "instruct_type": None,
            },
            "pricing": {
                "prompt": _each(self.price.input),
                "completion": _each(self.price.output),
                "input_cache_read": _each(self.price.cached),
                "web_search": str(self.price.search),
                "request": "0",
                "image": "0",
            },
            "top_provider": {"context_length": 200_000, "max_completion_tokens": 32_000, "is_moderated": False},
            "supported_parameters": list(self.takes),
            "default_parameters": {},
            "per_request_limits": None,
            "expiration_date": None,
        }


def _each(usd: Decimal) -> str:
    """As words, for one token."""
    return f"{usd / _MILLION:f}"


def _price(input_usd: str, output_usd: str) -> Price:
    return Price(input=Decimal(input_usd), cached=Decimal(input_usd) / 10, output=Decimal(output_usd))


_REASONING = (*_USUAL, "reasoning", "reasoning_effort", "include_reasoning")
MODELS = (
    Model(id="openai/gpt-5.4-mini", provider="OpenAI", reasons=True, takes=_REASONING, price=_price("0.40", "3.20")),
    Model(id="openai/gpt-6-luna", provider="OpenAI", reasons=True, takes=_REASONING, price=_price("0.10", "0.50")),
    Model(id="anthropic/claude-sonnet-5", provider="Anthropic", takes=_REASONING, price=_price("3", "15")),
    Model(id="google/gemini-3.8-flash", provider="Google", price=_price("0.75", "3.75")),
    Model(id="x-ai/grok-4.3", provider="xAI", reasons=True, price=_price("1.25", "2.50")),
    Model(id="deepseek/deepseek-v3.2", provider="DeepSeek", images=False, price=_price("0.27", "0.41")),
    Model(id="mistralai/mistral-large-2512", provider="Mistral", images=False, price=_price("2", "6")),
    Model(id="meta-llama/llama-4-maverick", provider="Together", takes=(*_USUAL[:4], "temperature", "top_p"),
          price=_price("0.20", "0.60")),
    Model(id="perplexity/sonar", provider="Perplexity", images=False, always_searches=True,
          takes=("max_tokens", "temperature", "top_p", "web_search_options"), price=_price("1", "1")),
)  # fmt: skip
_BY_NAME = {model.id: model for model in MODELS}
_SUFFIXES = (":free", ":nitro", ":floor", ":online")


def find(name: str) -> Model | None:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return _BY_NAME.get(name)
