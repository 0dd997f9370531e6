"""What only Gemini says, and how it is understood."""

from typing import Any

import pytest
import requests

from apps.providers import errors
from apps.providers.chat import shortcoming
from apps.providers.gemini.client import GeminiClient
from apps.providers.types import ChatRequest, Schema, TextPart
from tests.support.simulator import SimulatorProcess

STRICT = Schema(
    "s", {"type": "object", "additionalProperties": False, "required": ["a"], "properties": {"a": {"type": "string"}}}
)


@pytest.fixture
def gemini(simulator: SimulatorProcess) -> GeminiClient:
    return GeminiClient("sim-contract", simulator.base("gemini"))


def question(model: str = "gemini-3.8-flash", **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": model, "system": "", "parts": (TextPart("Which one?"),), "max_tokens": 300, **more})


def refusal_of(gemini: GeminiClient, request: ChatRequest) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        gemini.chat(request, seconds=20)
    return refusal.value


def exhausted(span: str) -> dict[str, Any]:
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": f"Requests{span}PerProject"}],
        },
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
    ]
    error = {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": details,
    }
    return {"status": 429, "body": {"error": error}}


def test_a_limit_of_the_minute_passes_and_one_of_the_day_does_not(
    gemini: GeminiClient, simulator: SimulatorProcess
) -> None:
    simulator.scenario("gemini", **exhausted("PerMinute"))
    error = refusal_of(gemini, question())
    assert type(error) is errors.RateLimited
    assert error.retry_after == 34
    simulator.scenario("gemini", **exhausted("PerDay"))
    assert type(refusal_of(gemini, question())) is errors.QuotaExhausted


def test_a_blocked_prompt_has_no_candidates_and_is_a_refusal(gemini: GeminiClient, simulator: SimulatorProcess) -> None:
    simulator.scenario("gemini", refusal=True)
    answer = gemini.chat(question(), seconds=20)
    assert answer.finish_reason == "content_filter"
    assert "PROHIBITED_CONTENT" in answer.refusal
    assert isinstance(shortcoming("gemini", answer), errors.ContentRefused)


def test_all_of_the_budget_spent_on_thoughts_is_an_answer_that_was_cut(
    gemini: GeminiClient, simulator: SimulatorProcess
) -> None:
    body = {
        "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}],
        "usageMetadata": {"promptTokenCount": 34, "thoughtsTokenCount": 300, "totalTokenCount": 334},
        "modelVersion": "gemini-3.8-flash",
    }
    simulator.scenario("gemini", status=200, body=body)
    answer = gemini.chat(question(), seconds=20)
    assert isinstance(shortcoming("gemini", answer), errors.Truncated)
    assert answer.usage.billed_output == 300


def test_thoughts_are_no_part_of_the_text(gemini: GeminiClient, simulator: SimulatorProcess) -> None:
    parts = [{"text": "Let me think.", "thought": True}, {"text": "An"}, {"text": "swer"}]
    body = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": {}}
    simulator.scenario("gemini", status=200, body=body)
    assert gemini.chat(question(), seconds=20).text == "Answer"


def test_a_search_whose_sources_were_left_out_is_told_apart(gemini: GeminiClient, simulator: SimulatorProcess) -> None:
    searched = {"content": {"parts": [{"text": "A."}]}, "finishReason": "STOP",
                "groundingMetadata": {"webSearchQueries": ["a", "b"]}}  # fmt: skip
    simulator.scenario("gemini", status=200, body={"candidates": [searched], "usageMetadata": {"promptTokenCount": 3}})
    answer = gemini.chat(question(web_search=True), seconds=20)
    assert (answer.searches, answer.sources) == (2, None)


def test_the_second_generation_is_asked_without_a_schema_when_it_searches(
    gemini: GeminiClient, simulator: SimulatorProcess
) -> None:
    answer = gemini.chat(question("gemini-2.5-flash-lite", schema=STRICT, web_search=True), seconds=20)
    (sent,) = simulator.requests("gemini")
    assert "responseJsonSchema" not in sent["json"]["generationConfig"]
    assert answer.parsed is None
    assert gemini.chat(question("gemini-3.8-flash", schema=STRICT, web_search=True), seconds=20).parsed


def test_a_model_past_its_day_is_answered_by_another(gemini: GeminiClient, simulator: SimulatorProcess) -> None:
    simulator.advance(40 * 86_400)
    assert gemini.chat(question("gemini-2.5-flash"), seconds=20).model == "gemini-3.5-flash-lite"
    assert type(refusal_of(gemini, question("gemini-2.0-flash"))) is errors.ModelUnavailable


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"parts": [{"text": "a"}]}], "temperature": 1}, 'Unknown name "temperature"'),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "data:image/png;base64,AA"}}]}]}, "Base64"),
        ({"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "mime_type"),
        ({"contents": [{"parts": [{"text": "a"}]}], "generation_config": {"thinking_config": {"thinking_level": "minimal"}}},
         "Thinking level"),
    ],
)  # fmt: skip
def test_the_simulator_refuses_what_the_real_one_refuses(
    simulator: SimulatorProcess, body: dict[str, Any], said: str
) -> None:
    url = f"{simulator.base('gemini')}/v1beta/models/gemini-3.8-flash:generateContent"
    reply = requests.post(url, json=body, headers={"x-goog-api-key": "sim-x"}, timeout=20)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]
