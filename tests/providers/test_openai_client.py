"""What only OpenAI says, and how it is understood."""

from datetime import date
from typing import Any

import pytest

from apps.providers import errors
from apps.providers.openai.client import OpenAIClient
from apps.providers.types import ChatRequest, Schema, TextPart
from tests.support.simulator import SimulatorProcess

ANYTHING = {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


@pytest.fixture
def openai(simulator: SimulatorProcess) -> OpenAIClient:
    return OpenAIClient("sim-contract", simulator.base("openai"))


def question(model: str = "gpt-6-luna", **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": model, "system": "", "parts": (TextPart("Which one?"),), "max_tokens": 300, **more})


def refusal_of(openai: OpenAIClient, request: ChatRequest) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        openai.chat(request, seconds=20)
    return refusal.value


SAID: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    ({"status": 429, "error_text": "You exceeded your current quota, please check your plan."}, errors.QuotaExhausted),
    ({"status": 429, "error_text": "Request too large for gpt-5-nano on tokens per min (TPM): Limit 200000"},
     errors.RequestTooLarge),
    ({"status": 429, "error_text": "Rate limit reached. Please try again in 1.146s."}, errors.RateLimited),
    ({"status": 400, "error_text": "This model's maximum context length is 128000 tokens."}, errors.RequestTooLarge),
    ({"status": 400, "error_text": "Your request was rejected by the safety system."}, errors.ContentRefused),
    ({"status": 403, "error_text": "Your organization must be verified to use the model `o9`."}, errors.ModelUnavailable),
    ({"status": 400, "error_text": "unknown parameter 'foo'."}, errors.InvalidRequest),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "kind"), SAID, ids=lambda value: str(value)[:60])
def test_its_words_are_understood(
    openai: OpenAIClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("openai", **effect)
    assert type(refusal_of(openai, question())) is kind


def test_the_finer_header_says_how_long_to_wait(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    simulator.account("openai", requests_per_minute=1)
    openai.chat(question(), seconds=20)
    assert refusal_of(openai, question()).retry_after == 1.146


def test_no_money_is_a_429_that_no_wait_mends(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    simulator.account("openai", balance=0)
    error = refusal_of(openai, question())
    assert type(error) is errors.QuotaExhausted
    assert not error.can_pass


def test_models_that_are_gone_are_unavailable(openai: OpenAIClient) -> None:
    for name in ("gpt-4", "gpt-9-imaginary"):
        assert type(refusal_of(openai, question(name))) is errors.ModelUnavailable


def test_the_list_tells_the_last_days(openai: OpenAIClient) -> None:
    ends = {model.id: model.ends_on for model in openai.models()}
    assert ends["gpt-5"] == date(2026, 12, 11)
    assert ends["gpt-6-luna"] is None


def test_the_snapshot_that_answers_is_the_model_that_was_asked(openai: OpenAIClient) -> None:
    assert openai.chat(question("gpt-5.4-mini"), seconds=20).model == "gpt-5.4-mini-2026-03-17"


def test_a_schema_outside_the_strict_subset_is_refused_in_its_words(openai: OpenAIClient) -> None:
    open_map = Schema("listing", {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    error = refusal_of(openai, question(schema=open_map))
    assert type(error) is errors.InvalidRequest
    assert "additionalProperties" in error.detail


def test_a_search_goes_by_responses_except_where_the_model_always_searches(
    openai: OpenAIClient, simulator: SimulatorProcess
) -> None:
    openai.chat(question(web_search=True, schema=Schema("s", ANYTHING)), seconds=20)
    openai.chat(question("gpt-5-search-api", web_search=True, schema=Schema("s", ANYTHING)), seconds=20)
    first, second = simulator.requests("openai")

    assert first["path"].endswith("/responses")
    assert first["json"]["tools"] == [{"type": "web_search"}]
    assert first["json"]["store"] is False
    assert first["json"]["text"]["format"]["strict"] is True
    assert second["path"].endswith("/chat/completions")
    assert second["json"]["web_search_options"] == {}
    assert "response_format" not in second["json"], "schema and search do not go together for this one"


def test_pages_that_were_only_consulted_are_told_apart(openai: OpenAIClient) -> None:
    answer = openai.chat(question(web_search=True), seconds=20)
    assert answer.sources is not None
    assert {source.cited for source in answer.sources} == {True, False}


def test_an_incomplete_response_says_why(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    assert openai.chat(question(web_search=True, max_tokens=3), seconds=20).finish_reason == "length"
    body = {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "It broke."}, "output": []}
    simulator.scenario("openai", status=200, body=body)
    assert type(refusal_of(openai, question(web_search=True))) is errors.Overloaded
