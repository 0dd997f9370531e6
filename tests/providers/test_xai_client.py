"""The xAI client against the simulator: reference §10, items 1 to 4."""

import base64
import io
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image
from structlog.testing import capture_logs

from apps.providers import errors
from apps.providers.chat import shortcoming
from apps.providers.types import ChatAnswer, ChatRequest, ImagePart, TextPart
from apps.providers.xai.client import XaiClient
from tests.support.simulator import SimulatorProcess


def picture(colour: str = "teal") -> str:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def question(model: str = "grok-4.3", **more: Any) -> ChatRequest:
    parts = (ImagePart(picture()), TextPart("Describe the picture to make."))
    return ChatRequest(model=model, system="Write one prompt.", parts=parts, max_tokens=400, **more)


def refusal_of(xai: XaiClient, seconds: float = 20) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        xai.chat(question(), seconds=seconds)
    return refusal.value


def test_chat_answers_with_text_usage_and_exact_cost(xai: XaiClient, simulator: SimulatorProcess) -> None:
    answer = xai.chat(question(), seconds=20)

    assert len(answer.text.split()) > 20
    assert answer.model == "grok-4.3"
    assert answer.usage.total == answer.usage.prompt + answer.usage.completion + answer.usage.reasoning
    assert answer.cost_source == "reported"
    (purchase,) = simulator.ledger("xai")
    assert answer.cost_usd == Decimal(str(purchase["cost"]))
    assert shortcoming("xai", answer) is None


def test_the_request_has_what_xai_takes_and_nothing_it_refuses(xai: XaiClient, simulator: SimulatorProcess) -> None:
    xai.chat(question("grok-4.5", effort="xhigh"), seconds=20)
    (sent,) = simulator.requests("xai")

    body = sent["json"]
    assert set(body) == {"model", "messages", "max_completion_tokens", "reasoning_effort"}
    assert body["reasoning_effort"] == "high"  # 4.5 knows no xhigh
    assert [part["type"] for part in body["messages"][1]["content"]] == ["image_url", "text"]


def test_models_carry_prices_and_ping_is_free(xai: XaiClient, simulator: SimulatorProcess) -> None:
    models = {model.id: model for model in xai.models()}
    xai.ping()

    assert models["grok-4.3"].input_usd == Decimal("1.25")
    assert models["grok-4.3"].images
    assert simulator.ledger("xai") == []


def test_another_model_that_answers_is_told(xai: XaiClient) -> None:
    with capture_logs() as logs:
        answer = xai.chat(question("grok-3"), seconds=20)

    assert answer.model == "grok-4.3"
    assert {"asked": "grok-3", "answered": "grok-4.3"}.items() <= logs[0].items()


def test_a_dated_name_of_the_same_model_is_no_other_model(xai: XaiClient) -> None:
    with capture_logs() as logs:
        xai.chat(question("grok-4.20-non-reasoning"), seconds=20)
    assert logs == []


@pytest.mark.parametrize("key", ["xai-secretsecretsecret", ""])
def test_a_wrong_or_missing_key_says_nothing_of_the_key(simulator: SimulatorProcess, key: str) -> None:
    error = refusal_of(XaiClient(key, simulator.xai_base))

    assert type(error) is errors.AuthFailed
    assert error.detail == ""
    assert "secret" not in f"{error} {error.message} {error.provider_code}"


REFUSED = {
    "id": "8e3", "object": "chat.completion", "model": "grok-4.3",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": None, "refusal": "No."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 41, "cost_in_usd_ticks": 10115500},
}  # fmt: skip
CASES: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    ({"status": 429, "error_text": "Too many tokens for team x"}, errors.RateLimited),
    ({"status": 429, "error_text": "Your team has used all available credits"}, errors.PaymentRequired),
    ({"status": 403, "error_text": "Your newly created team doesn't have any credits or licenses yet."},
     errors.PaymentRequired),
    ({"status": 403, "error_text": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"},
     errors.ContentRefused),
    ({"status": 400, "error_text": "Generated image rejected by content moderation."}, errors.ContentRefused),
    ({"status": 400, "error_text": "Model not found: grok-99"}, errors.ModelUnavailable),
    ({"status": 404}, errors.ModelUnavailable),
    ({"status": 400, "error_text": "This model's maximum prompt length is 131072 but the request has 140213 tokens."},
     errors.RequestTooLarge),
    ({"status": 400, "error_text": "Argument not supported: size"}, errors.InvalidRequest),
    ({"status": 410}, errors.InvalidRequest),
    ({"status": 415}, errors.InvalidRequest),
    ({"status": 422, "error_text": "Failed to deserialize the JSON body"}, errors.InvalidRequest),
    ({"status": 500}, errors.Overloaded),
    ({"status": 503}, errors.Overloaded),
    ({"status": 504}, errors.Overloaded),
    ({"html": True, "status": 502}, errors.Overloaded),
    ({"status": 200, "body": {"error": {"message": "Model is at capacity", "code": 14}}}, errors.Overloaded),
    ({"status": 200, "body": "not json at all"}, errors.MalformedOutput),
    ({"status": 200, "body": {"id": "x", "choices": []}}, errors.MalformedOutput),
    ({"status": 200, "body": "[1, 2"}, errors.MalformedOutput),
    ({"gzip": True}, errors.TransientNetwork),
    ({"truncate_after_bytes": 60}, errors.TransientNetwork),
    ({"drop_connection": "before"}, errors.TransientNetwork),
    ({"drop_connection": "after"}, errors.TransientNetwork),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "kind"), CASES, ids=lambda value: str(value)[:60])
def test_each_failure_has_its_class(
    xai: XaiClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("xai", **effect)
    error = refusal_of(xai)

    assert type(error) is kind
    assert error.message
    assert error.action
    assert len(simulator.requests("xai")) == 1, "a client never tries again by itself"
    xai.chat(question(), seconds=20)


def test_a_rate_limit_tells_how_long(xai: XaiClient, simulator: SimulatorProcess) -> None:
    simulator.scenario("xai", status=429, headers={"rEtRy-AfTeR": "7"})
    assert refusal_of(xai).retry_after == 7


def test_time_is_up_in_time_and_the_outcome_is_unknown(xai: XaiClient, simulator: SimulatorProcess) -> None:
    simulator.scenario("xai", hang=True)
    error = refusal_of(xai, seconds=0.4)
    assert (type(error), error.sent) == (errors.TransientNetwork, None)


def test_a_refused_connection_was_surely_not_sent() -> None:
    error = refusal_of(XaiClient("sim-x", "http://127.0.0.1:9/xai/v1"), seconds=2)
    assert (type(error), error.sent) == (errors.TransientNetwork, False)


def test_a_huge_answer_is_not_read_to_its_end(xai: XaiClient, simulator: SimulatorProcess) -> None:
    simulator.scenario("xai", endless=True)
    assert type(refusal_of(xai)) is errors.MalformedOutput


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"status": 200, "body": REFUSED}, errors.ContentRefused),
        ({"finish_reason": "length"}, errors.Truncated),
        ({"finish_reason": "content_filter"}, errors.ContentRefused),
        ({"text": ""}, errors.MalformedOutput),
    ],
)
def test_a_useless_answer_is_still_an_answer_that_was_paid(
    xai: XaiClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("xai", **effect)
    answer = xai.chat(question(), seconds=20)
    error = shortcoming("xai", answer)

    assert type(error) is kind
    assert (error.charged, error.cost_usd) == (True, answer.cost_usd)


def test_the_words_arrive_one_after_the_other(xai: XaiClient, simulator: SimulatorProcess) -> None:
    *pieces, answer = xai.chat_stream(question(), seconds=20)

    assert isinstance(answer, ChatAnswer)
    assert len(pieces) > 3
    assert "".join(str(piece) for piece in pieces) == answer.text
    assert answer.cost_usd == Decimal(str(simulator.ledger("xai")[0]["cost"]))
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"status": 429}, errors.RateLimited),
        ({"status": 400, "error_text": "Model not found: x"}, errors.ModelUnavailable),
        ({"html": True, "status": 502}, errors.Overloaded),
        ({"stream_error_after_chunks": 2}, errors.Overloaded),
        ({"truncate_after_bytes": 500}, errors.TransientNetwork),
        ({"drop_connection": "after"}, errors.TransientNetwork),
    ],
)
def test_a_stream_that_fails_raises_and_never_ends_as_if_whole(
    xai: XaiClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("xai", **effect)
    received: list[object] = []
    with pytest.raises(errors.ProviderError) as refusal:
        received.extend(xai.chat_stream(question(), seconds=20))

    assert type(refusal.value) is kind
    assert not any(isinstance(item, ChatAnswer) for item in received)


NULLS = {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None, "cost_in_usd_ticks": None}
NO_FIGURES: list[Any] = ["missing", {}, NULLS, [], {"prompt_tokens": 100}, {"prompt_tokens": 0, "completion_tokens": 0},
                         {"prompt_tokens": 10**14, "completion_tokens": 10**14}]  # fmt: skip


@pytest.mark.parametrize("usage", NO_FIGURES)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_without_figures_has_no_cost_rather_than_none_to_pay(
    xai: XaiClient, simulator: SimulatorProcess, usage: Any, streamed: bool
) -> None:
    simulator.scenario("xai", usage=usage)
    answers = xai.chat_stream(question(), seconds=20) if streamed else [xai.chat(question(), seconds=20)]
    answer = list(answers)[-1]
    assert isinstance(answer, ChatAnswer)
    assert (answer.cost_usd, answer.cost_source) == (None, "none")


@pytest.mark.parametrize(
    ("usage", "cost", "source"),
    [
        ({"prompt_tokens": 32, "completion_tokens": 9, "cost_in_usd_ticks": 10115500}, "0.00101155", "reported"),
        ({"prompt_tokens": 1000, "completion_tokens": 100}, "0.0015", "priced"),
    ],
)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": "Internal error"}),
        (400, {"error": "Content violates usage guidelines."}),
        (200, {"error": "Internal error"}),
        (200, {"choices": []}),
        (200, {"choices": [{"message": {"content": 7}}]}),
    ],
)
def test_a_failed_answer_that_states_its_cost_costs_it(
    xai: XaiClient, simulator: SimulatorProcess, status: int, body: dict[str, Any], usage: Any, cost: str, source: str
) -> None:
    simulator.scenario("xai", times=2, status=status, body={"model": "grok-4.3", "usage": usage, **body})
    error = refusal_of(xai)
    assert (error.cost_usd, error.cost_source) == (Decimal(cost), source)
    with pytest.raises(errors.ProviderError) as streamed:
        list(xai.chat_stream(question(), seconds=20))
    assert (streamed.value.cost_usd, streamed.value.cost_source) == (Decimal(cost), source)
