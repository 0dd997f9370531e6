"""Every client that answers questions, against the simulator: the same promises, whoever is asked."""

import base64
import io
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from PIL import Image
from structlog.testing import capture_logs

from apps.providers import errors
from apps.providers.chat import ChatClient, client_of, shortcoming
from apps.providers.registry import PROVIDERS
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, Schema, TextPart
from tests.support.simulator import SimulatorProcess

MODELS = {
    "xai": "grok-4.3",
    "openai": "gpt-6-luna",
    "openrouter": "google/gemini-3.8-flash",
    "gemini": "gemini-3.8-flash",
}
QUESTION = "Which brands make furniture that lasts?"
BRANDS = Schema(
    "brand_answer",
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["answer", "entities"],
        "properties": {
            "answer": {"type": "string"},
            "entities": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": True,
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}},
                },
            },
        },
    },
)
STRICT = Schema(
    "headline",
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["headline", "note"],
        "properties": {"headline": {"type": "string"}, "note": {"type": ["string", "null"]}},
    },
)


@pytest.fixture(params=sorted(MODELS))
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(provider: str, simulator: SimulatorProcess, settings: LazySettings) -> ChatClient:
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {provider: "sim-contract"}
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {provider: simulator.base(provider)}
    return client_of(provider)


def question(provider: str, text: str = QUESTION, **more: Any) -> ChatRequest:
    return ChatRequest(
        **{"model": MODELS[provider], "system": "", "parts": (TextPart(text),), "max_tokens": 900, **more}
    )


def picture() -> ImagePart:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(data, "JPEG")
    return ImagePart(f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}")


def sent_to(simulator: SimulatorProcess, provider: str) -> dict[str, Any]:
    (sent,) = simulator.requests(provider)
    return sent["json"]


def refusal_of(client: ChatClient, request: ChatRequest, seconds: float = 20) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        client.chat(request, seconds=seconds)
    return refusal.value


def test_every_provider_that_answers_questions_is_tested_here() -> None:
    assert set(MODELS) == {provider.name for provider in PROVIDERS.values() if provider.answers_questions}


def test_an_answer_has_its_words_its_tokens_and_its_exact_cost(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    with capture_logs() as logs:
        answer = client.chat(question(provider), seconds=20)

    assert answer.text
    assert answer.usage.total == answer.usage.prompt + answer.usage.billed_output
    (purchase,) = simulator.ledger(provider)
    assert answer.cost_usd == Decimal(str(purchase["cost"])).quantize(answer.cost_usd or Decimal(0))
    assert answer.cost_source == ("reported" if provider in {"xai", "openrouter"} else "priced")
    assert shortcoming(provider, answer) is None
    assert (answer.searches, answer.sources) == (0, ())
    assert logs == []


def test_the_question_stands_alone_and_word_for_word(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    client.chat(question(provider), seconds=20)

    body = sent_to(simulator, provider)
    if provider == "gemini":
        assert body["contents"] == [{"role": "user", "parts": [{"text": QUESTION}]}]
        assert "systemInstruction" not in body
        assert "seed" not in body["generationConfig"]
    else:
        assert body["messages"] == [{"role": "user", "content": QUESTION}]
        assert "seed" not in body


def test_the_same_question_is_answered_anew_each_time(client: ChatClient, provider: str) -> None:
    answers = {client.chat(question(provider), seconds=20).text for _ in range(6)}
    assert len(answers) > 1


def test_an_answer_by_a_schema_is_parsed_and_checked(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    answer = client.chat(question(provider, schema=STRICT, system="Answer in JSON."), seconds=20)
    assert set(answer.parsed) == {"headline", "note"}

    simulator.scenario(provider, text='{"headline": 7}')
    assert client.chat(question(provider, schema=STRICT), seconds=20).parsed is None
    simulator.scenario(provider, text="Sure! Here it is: {")
    cut = client.chat(question(provider, schema=STRICT), seconds=20)
    assert cut.parsed is None
    assert cut.text == "Sure! Here it is: {"


def test_a_picture_is_seen(client: ChatClient, provider: str) -> None:
    asked = question(provider, parts=(picture(), TextPart("Write an image prompt.")), system="Write one prompt.")
    assert "teal" in client.chat(asked, seconds=20).text


def test_a_search_tells_its_sources(client: ChatClient, provider: str, simulator: SimulatorProcess) -> None:
    answer = client.chat(question(provider, web_search=True), seconds=20)

    assert answer.searches == 1
    assert answer.sources
    assert any(source.cited for source in answer.sources)
    assert all(source.url.startswith("https://") and source.title for source in answer.sources if source.cited)
    (purchase,) = simulator.ledger(provider)
    assert answer.cost_usd == Decimal(str(purchase["cost"])).quantize(answer.cost_usd or Decimal(0))


def test_a_temperature_is_sent_where_the_model_takes_one(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    client.chat(question(provider, temperature=0.3), seconds=20)
    body = sent_to(simulator, provider)
    told = body["generationConfig"] if provider == "gemini" else body
    assert ("temperature" in told) == (provider != "openai")


def test_the_words_arrive_one_after_the_other_and_the_whole_at_last(client: ChatClient, provider: str) -> None:
    *pieces, answer = client.chat_stream(question(provider), seconds=20)
    assert isinstance(answer, ChatAnswer)
    assert "".join(str(piece) for piece in pieces) == answer.text
    assert len(pieces) > 3
    assert answer.cost_usd


def test_a_stream_that_breaks_off_is_an_error_and_never_a_shorter_answer(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    simulator.scenario(provider, stream_error_after_chunks=2)
    with pytest.raises(errors.ProviderError) as broken:
        list(client.chat_stream(question(provider), seconds=20))
    assert broken.value.can_pass


def test_a_refusal_is_a_paid_answer_that_cannot_be_used(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    simulator.scenario(provider, refusal=True)
    answer = client.chat(question(provider), seconds=20)
    lacking = shortcoming(provider, answer)
    # xAI says no in the words of its answer, which are checked by whoever asked
    assert isinstance(lacking, errors.ContentRefused) == (provider != "xai")


def test_an_answer_that_was_cut_short_says_so(client: ChatClient, provider: str) -> None:
    answer = client.chat(question(provider, max_tokens=5), seconds=20)
    assert isinstance(shortcoming(provider, answer), errors.Truncated)


def test_an_empty_answer_is_none(client: ChatClient, provider: str, simulator: SimulatorProcess) -> None:
    simulator.scenario(provider, text="")
    assert isinstance(shortcoming(provider, client.chat(question(provider), seconds=20)), errors.MalformedOutput)


EVERYWHERE: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    ({"status": 402}, errors.PaymentRequired),
    ({"status": 404}, errors.ModelUnavailable),
    ({"status": 413}, errors.RequestTooLarge),
    ({"status": 429}, errors.RateLimited),
    ({"status": 500}, errors.Overloaded),
    ({"status": 503}, errors.Overloaded),
    ({"status": 529}, errors.Overloaded),
    ({"html": True, "status": 502}, errors.Overloaded),
    ({"status": 200, "body": "not json at all"}, errors.MalformedOutput),
    ({"status": 200, "body": {}}, errors.MalformedOutput),
    ({"truncate_after_bytes": 60}, errors.TransientNetwork),
    ({"drop_connection": "before"}, errors.TransientNetwork),
    ({"drop_connection": "after"}, errors.TransientNetwork),
]


@pytest.mark.parametrize(("effect", "kind"), EVERYWHERE, ids=lambda value: str(value)[:40])
def test_each_failure_has_its_class(
    client: ChatClient,
    provider: str,
    simulator: SimulatorProcess,
    effect: dict[str, Any],
    kind: type[errors.ProviderError],
) -> None:
    simulator.scenario(provider, **effect)
    error = refusal_of(client, question(provider))

    assert type(error) is kind
    assert error.provider == provider
    assert PROVIDERS[provider].title in error.message
    assert len(simulator.requests(provider)) == 1, "a client never tries again by itself"


def test_a_wrong_or_missing_key_is_told_and_nothing_of_it_is_kept(
    provider: str, simulator: SimulatorProcess, settings: LazySettings
) -> None:
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {provider: simulator.base(provider)}
    for key in ("sk-secretsecretsecret", ""):
        settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {provider: key}
        error = refusal_of(client_of(provider), question(provider))
        assert type(error) is errors.AuthFailed
        assert "secret" not in f"{error} {error.message} {error.detail} {error.provider_code}"
        with pytest.raises(errors.AuthFailed):
            client_of(provider).ping()


def test_a_ping_costs_nothing(client: ChatClient, provider: str, simulator: SimulatorProcess) -> None:
    client.ping()
    assert simulator.ledger(provider) == []


def test_time_is_up_in_time_and_the_outcome_is_unknown(
    client: ChatClient, provider: str, simulator: SimulatorProcess
) -> None:
    simulator.scenario(provider, hang=True)
    error = refusal_of(client, question(provider), seconds=0.5)
    assert type(error) is errors.TransientNetwork
    assert not error.outcome_known


def test_another_model_that_answers_is_told(client: ChatClient, provider: str, simulator: SimulatorProcess) -> None:
    simulator.scenario(provider, model="somebody-else")
    with capture_logs() as logs:
        client.chat(question(provider), seconds=20)
    assert {"event": "another_model_answered", "answered": "somebody-else"}.items() <= logs[0].items()
