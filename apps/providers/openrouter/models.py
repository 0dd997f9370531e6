"""Models asked through OpenRouter. It tells the price of each answer itself, so none stands here; what a model can do is in
its list (`supported_parameters`), and what it does not take is dropped by it without a word. Read 22 Nov 2026.
"""

from typing import Any

from apps.providers.catalogue import Model, Web


def _model(name: str, **more: Any) -> Model:
    return Model(name, "openrouter", web=Web.IN_THE_CALL, **more)


MODELS: tuple[Model, ...] = (
    _model("openai/gpt-5.4-mini", temperature=False, reasons=True),
    _model("openai/gpt-6-luna", temperature=False, reasons=True),
    _model("anthropic/claude-sonnet-5", temperature=False),
    _model("google/gemini-3.8-flash"),
    _model("x-ai/grok-4.3", reasons=True),
    _model("deepseek/deepseek-v3.2", images=False),
    _model("mistralai/mistral-large-2512", images=False),
    _model("meta-llama/llama-4-maverick"),
    Model("perplexity/sonar", "openrouter", images=False, schema=False, schema_with_web=False, web=Web.ALWAYS),
)
