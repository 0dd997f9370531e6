"""What only OpenRouter says, and how it is understood."""

from decimal import Decimal
from typing import Any

import pytest
import requests

from apps.providers import errors
from apps.providers.openrouter.client import OpenRouterClient
from apps.providers.openrouter.dialect import told_cost
from apps.providers.types import ChatRequest, TextPart
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def openrouter(simulator: SimulatorProcess) -> OpenRouterClient:
    return OpenRouterClient("sim-contract", simulator.base("openrouter"))


def question(model: str = "google/gemini-3.8-flash", **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": model, "system": "", "parts": (TextPart("Which one?"),), "max_tokens": 300, **more})


def refusal_of(openrouter: OpenRouterClient, request: ChatRequest) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        openrouter.chat(request, seconds=20)
    return refusal.value


def told(code: int, message: str, **metadata: Any) -> dict[str, Any]:
    return {"status": code, "body": {"error": {"code": code, "message": message, "metadata": metadata}}}


BROKE_OFF = {
    "id": "gen-1", "model": "m", "choices": [{"finish_reason": "error", "error": {"code": 502, "message": "upstream"},
                                              "message": {"role": "assistant", "content": "The answer be"}}],
}  # fmt: skip
SAID: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    (told(402, "Insufficient credits."), errors.PaymentRequired),
    (told(403, "Input flagged", reasons=["violence"]), errors.ContentRefused),
    (told(403, "Key may not", error_type="permission_denied"), errors.AuthFailed),
    (told(400, "acme/fake-1.0 is not a valid model ID"), errors.ModelUnavailable),
    (told(400, "Provider returned error", error_type="context_length_exceeded"), errors.RequestTooLarge),
    (told(400, "Provider returned error", error_type="content_policy_violation"), errors.ContentRefused),
    (told(400, "Provider returned error", error_type="invalid_image"), errors.InputUnreadable),
    (told(404, "No endpoints found that can handle the requested parameters."), errors.ModelUnavailable),
    ({"status": 200, "body": {"error": {"code": 429, "message": "Rate limit exceeded"}}}, errors.RateLimited),
    ({"status": 200, "body": {"error": {"code": 502, "message": "Provider returned error"}}}, errors.Overloaded),
    ({"status": 200, "body": BROKE_OFF}, errors.Overloaded),
]


@pytest.mark.parametrize(("effect", "kind"), SAID, ids=lambda value: str(value)[:80])
def test_its_words_are_understood_in_a_200_too(
    openrouter: OpenRouterClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("openrouter", **effect)
    assert type(refusal_of(openrouter, question())) is kind


def test_it_is_asked_with_the_fields_it_knows(openrouter: OpenRouterClient, simulator: SimulatorProcess) -> None:
    openrouter.chat(question(web_search=True), seconds=20)
    (sent,) = simulator.requests("openrouter")
    assert sent["json"]["max_tokens"] == 300
    assert sent["json"]["tools"] == [{"type": "openrouter:web_search"}]
    assert "provider" not in sent["json"]


def test_lines_that_keep_the_connection_open_are_no_words(openrouter: OpenRouterClient) -> None:
    pieces = [piece for piece in openrouter.chat_stream(question(), seconds=20) if isinstance(piece, str)]
    assert "PROCESSING" not in "".join(pieces)


def test_models_carry_prices_for_a_million_tokens(openrouter: OpenRouterClient) -> None:
    models = {model.id: model for model in openrouter.models()}
    assert models["x-ai/grok-4.3"].input_usd == Decimal("1.25")
    assert models["deepseek/deepseek-v3.2"].images is False


def test_what_a_key_of_the_upstreams_own_costs_there_is_added() -> None:
    assert told_cost({"cost": 0.00101}) == Decimal("0.00101")
    own = {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}
    assert told_cost(own) == Decimal("0.0021")
    for junk in (None, -1, True, "0.1", 10**9):
        assert told_cost({"cost": junk}) is None


def test_the_simulator_falls_back_and_requires_parameters_as_the_real_one(simulator: SimulatorProcess) -> None:
    def ask(**body: Any) -> requests.Response:
        messages = [{"role": "user", "content": "Which?"}]
        url, headers = f"{simulator.base('openrouter')}/chat/completions", {"Authorization": "Bearer sim-x"}
        return requests.post(url, json={"messages": messages, **body}, headers=headers, timeout=20)

    assert ask(models=["acme/none", "perplexity/sonar"]).json()["model"] == "perplexity/sonar"
    strict = ask(model="openai/gpt-6-luna", temperature=0.2, provider={"require_parameters": True})
    assert strict.status_code == 404
    assert "requested parameters" in strict.json()["error"]["message"]
    assert ask(model="openai/gpt-6-luna", temperature=0.2).status_code == 200
