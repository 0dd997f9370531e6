"""Reading what providers say: hints, faults in every shape, words made fit to keep, money and tokens."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.http import Reply
from apps.providers import errors, pricing, retry_after
from apps.providers.catalogue import all_models, find_model, names_of, same_model
from apps.providers.chat import effort_for
from apps.providers.gemini import errors as gemini_errors
from apps.providers.gemini import payloads as gemini
from apps.providers.http import DETAIL_CHARACTERS, Fault, read_fault, read_json, scrub
from apps.providers.openai.client import read_models as openai_models
from apps.providers.openai.dialect import DIALECT as OPENAI
from apps.providers.openai_wire import completions, responses
from apps.providers.openai_wire import errors as wire_errors
from apps.providers.openai_wire.dialect import Dialect
from apps.providers.openai_wire.stream import Draft
from apps.providers.openai_wire.usage import cost_of, read_usage
from apps.providers.openrouter.client import read_models as openrouter_models
from apps.providers.openrouter.dialect import DIALECT as OPENROUTER
from apps.providers.types import ChatRequest, Schema, TextPart, Usage
from apps.providers.wavespeed import errors as wavespeed_errors
from apps.providers.wavespeed import payloads as wavespeed_payloads
from apps.providers.xai.client import read_models
from apps.providers.xai.dialect import DIALECT as XAI

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def http_date(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("7", 7),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("-5", None),
        ("-0", 0),
        ("nan", None),
        ("inf", 86_400),
        ("1e300", 86_400),
        ("99999999999999999999999999", 86_400),
        ("3600", 3600),
        ("soon", None),
        ("12 seconds", None),
        (http_date(30), 30),
        (http_date(-30), 0),
        (http_date(7200), 7200),
        (http_date(864_000), 86_400),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:30", 30),
        ("Sun, 22 Nov 2026 13:00:30 +0100", 30),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert retry_after.parse(value, now=NOW) == expected


@given(st.text(max_size=60))
def test_retry_after_never_breaks_and_stays_in_bounds(value: str) -> None:
    seconds = retry_after.parse(value, now=NOW)
    assert seconds is None or 0 <= seconds <= 86_400


def test_a_date_is_measured_by_the_providers_own_clock() -> None:
    theirs = {"date": "Tue, 01 Jan 2030 00:00:00 GMT", "retry-after": "Tue, 01 Jan 2030 00:00:09 GMT"}
    assert read_fault(Reply(429, theirs, b"")).retry_after == 9


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"code":"Some","error":"Flat words"}', "Some", "Flat words"),
        (b'{"error":"No code"}', "", "No code"),
        (b'{"error":{"message":"Nested","type":"t","code":"c"}}', "c", "Nested"),
        (b'{"error":{"message":"Nested","code":14}}', "14", "Nested"),
        (b'{"code":400,"message":"Envelope","error_code":"E1"}', "E1", "Envelope"),
        (b'{"errors":[{"title":"First","code":"x"},{"title":"Second"}]}', "x", "First"),
        (b'[{"error":{"code":429,"message":"In an array"}}]', "429", "In an array"),
        (b'"just words"', "", "just words"),
        (b"", "", ""),
        (b"[]", "", "[]"),
        (b"null", "", "null"),
        (b'{"error":null}', "", ""),
        (b"<html><head><style>p{}</style></head><body><h1>502 Bad Gateway</h1></body></html>", "", "502 Bad Gateway"),
        (b"\xff\xfe plain", "", "\ufffd\ufffd plain"),
    ],
)
def test_faults_in_every_shape(body: bytes, code: str, text: str) -> None:
    fault = read_fault(Reply(500, {}, body))
    assert (fault.code, fault.text) == (code, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["error", "errors", "code", "message", "data", "id", "status", "outputs", "items", "choices", "usage",
             "delta", "content", "input", "timings", "has_nsfw_contents", "total", "created_at", "message", "annotations", "output",
             "type", "candidates", "parts", "groundingMetadata", "groundingChunks", "usageMetadata", "details", "x"]
        ),
        inner, max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


ASKED = ChatRequest("m", "", (TextPart("t"),), 10, schema=Schema("s", {"type": "object"}), web_search=True)
WIRE_READERS: dict[str, Callable[[Dialect, Reply, Any], object]] = {
    "reply": lambda dialect, reply, data: wire_errors.check(dialect, reply),
    "answer": lambda dialect, reply, data: completions.read_answer(dialect, data, http_status=200, request=ASKED),
    "response": lambda dialect, reply, data: (
        responses.read_answer(dialect, data, http_status=200, request=ASKED) if isinstance(data, dict) else None
    ),
    "chunk": lambda dialect, reply, data: Draft(dialect, ASKED).add(data) if isinstance(data, dict) else None,
}


def _gemini_answer(data: Any) -> None:
    if isinstance(data, dict):
        draft = gemini.Draft(ASKED)
        draft.add(data)
        draft.answer(http_status=200)


READERS: dict[str, Callable[[Reply, Any], object]] = {
    "xai models": lambda reply, data: read_models(data),
    "openai models": lambda reply, data: openai_models(data),
    "openrouter models": lambda reply, data: openrouter_models(data),
    "gemini reply": lambda reply, data: gemini_errors.check(reply),
    "gemini answer": lambda reply, data: _gemini_answer(data),
    **{
        f"{dialect.provider} {what}": partial(read, dialect)
        for dialect in (XAI, OPENAI, OPENROUTER)
        for what, read in WIRE_READERS.items()
    },
    "wavespeed reply": lambda reply, data: wavespeed_payloads.open_envelope(reply, submitting=True),
    "wavespeed task": lambda reply, data: wavespeed_payloads.read_prediction(data),
    "wavespeed list": lambda reply, data: wavespeed_payloads.read_page(data),
    "wavespeed money": lambda reply, data: wavespeed_payloads.read_money(data, "id", "total"),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@given(body=st.binary(max_size=200) | JSON.map(orjson.dumps), status=st.sampled_from([200, 204, 401, 429, 500, 503]))
def test_no_body_ever_breaks_a_client(reader: Callable[[Reply, Any], object], body: bytes, status: int) -> None:
    """Whatever comes is read, or is a ProviderError."""
    with suppress(errors.ProviderError):
        reader(Reply(status, {}, body), read_json(body))


@given(outputs=JSON, flags=JSON, created=JSON, inputs=JSON, timings=JSON, code=JSON)
def test_a_task_is_read_whatever_its_fields_hold(**fields: Any) -> None:
    names = {"flags": "has_nsfw_contents", "created": "created_at", "inputs": "input"}
    task = wavespeed_payloads.read_prediction({"id": "p", **{names.get(k, k): v for k, v in fields.items()}})
    assert all(isinstance(output, str) for output in task.outputs)


def test_json_is_made_fit_for_the_database() -> None:
    body = rb'{"a\u0000": "x\u0000y", "b": ["\ud800", "\ud83d\ude00"], "c": NaN, "d": 1e999, "e": -Infinity}'
    assert read_json(body) == {"a": "xy", "b": ["?", "\U0001f600"], "c": None, "d": None, "e": None}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 10_000, b"{", b"\xff", b""])
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert read_json(body) is None


def test_words_wrapped_too_deep_are_not_looked_for() -> None:
    assert read_fault(Reply(500, {}, b"[" * 500 + b"]" * 500)).is_json


@pytest.mark.parametrize(
    "secret",
    [
        "Incorrect API key provided: du***my. You can obtain one",
        "Authorization: Bearer xai-abcdefghijklmnop",
        "Your team 0f8fad5b-d9cb-469f-a165-70867728950e has used it",
        "see https://console.x.ai/team/0f8fad5bd9cb",
        "data:image/jpeg;base64," + "QUJD" * 50,
    ],
)
def test_words_that_are_kept_hold_no_secret(secret: str) -> None:
    kept = scrub(secret)
    for part in ("du***my", "abcdefghijklmnop", "0f8fad5b", "QUJDQUJD"):
        assert part not in kept


def test_words_that_are_kept_are_one_short_line() -> None:
    kept = scrub("so\nlong " * 1000)
    assert "\n" not in kept
    assert len(kept) <= DETAIL_CHARACTERS


def test_every_error_says_what_happened_and_what_to_do() -> None:
    kinds = [errors.ProviderError, *all_below(errors.ProviderError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        for provider in ("xai", "wavespeed"):
            error = kind(provider)
            assert errors.provider_name(provider) in f"{error.message} {error.action}"
            assert "{" not in error.message + error.action
            assert error.message.endswith(".")
            assert len(kind.code) <= 40


def all_below(kind: type[errors.ProviderError]) -> list[type[errors.ProviderError]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *all_below(sub))]


def test_no_error_that_costs_or_refuses_is_retried() -> None:
    never = {errors.AuthFailed, errors.PaymentRequired, errors.QuotaExhausted, errors.ContentRefused,
             errors.InvalidRequest, errors.RequestTooLarge, errors.ModelUnavailable, errors.OutcomeUnknown}  # fmt: skip
    assert not [kind for kind in never if kind("xai").can_pass]
    assert not errors.ContentRefused("xai").may_fall_back


def test_ticks_are_exact_money() -> None:
    assert pricing.from_ticks(10115500) == Decimal("0.00101155")
    assert pricing.from_ticks(400000000) == Decimal("0.04")
    for junk in (None, -1, 10**14, 1.5, "5", True):
        assert pricing.from_ticks(junk) is None


def test_reasoning_tokens_come_on_top_at_xai() -> None:
    usage = read_usage(
        XAI,
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
    )
    assert usage.billed_output == 103
    assert usage.total == usage.prompt + usage.billed_output


def test_reasoning_tokens_are_among_the_completions_at_openai_and_beside_them_at_gemini() -> None:
    counts = {"prompt_tokens": 1117, "completion_tokens": 346, "total_tokens": 1463}
    usage = read_usage(OPENAI, counts | {"completion_tokens_details": {"reasoning_tokens": 128}})
    assert (usage.completion, usage.reasoning, usage.billed_output) == (218, 128, 346)
    assert usage.total == usage.prompt + usage.billed_output

    usage = gemini.read_usage(
        {"promptTokenCount": 34, "candidatesTokenCount": 418, "thoughtsTokenCount": 438, "totalTokenCount": 890}
    )
    assert usage.billed_output == 856
    assert usage.total == usage.prompt + usage.billed_output


def test_the_responses_interface_counts_reasoning_among_the_output_at_xai_too() -> None:
    details = {"output_tokens_details": {"reasoning_tokens": 30}}
    usage = read_usage(XAI, {"input_tokens": 10, "output_tokens": 50, "total_tokens": 60} | details)
    assert (usage.completion, usage.reasoning, usage.billed_output) == (20, 30, 50)


def test_hints_of_how_long_to_wait_are_read_from_words_too() -> None:
    assert retry_after.in_words("Please try again in 1.146s. Visit …") == 1.146
    assert retry_after.in_words("Please try again in 6m0s.") == 360
    assert retry_after.in_words("Please try again in 20ms.") == 0.02
    assert retry_after.in_words("Please retry in 34.074824224s.") == 34.074824224
    assert retry_after.in_words("Please try again later.") is None
    assert retry_after.in_words("retry in 999999999h") == retry_after.LONGEST_WAIT


def test_the_table_prices_what_was_not_reported() -> None:
    usage = Usage(prompt=1000, cached=400, completion=100, reasoning=50)
    expected = (600 * Decimal("1.25") + 400 * Decimal("0.20") + 150 * Decimal("2.50")) / 10**6
    assert pricing.from_tokens("xai", "grok-4.3", usage, day=date(2026, 11, 22)) == expected
    assert pricing.from_tokens("xai", "grok-4.3", usage, day=date(2020, 1, 1)) is None
    assert pricing.from_tokens("xai", "nobody", usage) is None


def test_long_prompts_cost_double() -> None:
    short, long = Usage(prompt=199_999), Usage(prompt=200_000)
    assert pricing.from_tokens("xai", "grok-4.7", short) == Decimal("0.399998")
    assert pricing.from_tokens("xai", "grok-4.7", long) == Decimal("0.8")


def test_no_report_and_no_usage_is_no_price() -> None:
    assert cost_of(XAI, "grok-4.3", Usage()) == (None, "none")


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        ("grok-4.7", "xhigh", "xhigh"),
        ("grok-4.5", "xhigh", "high"),
        ("grok-4.7", "none", "low"),
        ("grok-4.3", "none", "none"),
        ("grok-4.20-non-reasoning", "high", None),
        ("unheard-of", "high", None),
        ("grok-4.7", None, None),
        ("grok-4.7", "extreme", None),
    ],
)
def test_effort_is_what_the_model_knows(model: str, wanted: str | None, expected: str | None) -> None:
    assert effort_for("xai", model, wanted) == expected


def test_a_question_never_holds_what_reasoning_models_refuse() -> None:
    for dialect in (XAI, OPENAI, OPENROUTER):
        for name in names_of(dialect.provider):
            asked = ChatRequest(name, "s", (TextPart("t"),), 10, "high", temperature=0.3)
            body: dict[str, Any] = completions.body_of(dialect, asked)
            assert not {"stop", "presence_penalty", "frequency_penalty", "seed"} & set(body)
            model = find_model(dialect.provider, name)
            assert model is not None
            assert ("temperature" in body) == model.temperature


def test_the_catalogue_names_each_model_once_and_successors_exist() -> None:
    names = [(model.provider, name) for model in all_models() for name in (model.name, *model.aliases)]
    assert len(names) == len(set(names))
    for model in all_models():
        if model.redirects_to:
            redirected = find_model(model.provider, model.redirects_to)
            assert redirected is not None
            assert not redirected.is_gone


def test_an_alias_is_the_same_model() -> None:
    assert same_model("xai", "grok-4.20", "grok-4.20-0309-reasoning")
    assert same_model("openai", "gpt-5.4-mini", "gpt-5.4-mini-2026-03-17")
    assert not same_model("openai", "gpt-5.4", "gpt-5.4-mini-2026-03-17")
    assert not same_model("xai", "grok-4", "grok-4.3")
    assert not same_model("xai", "one-unknown", "another-unknown")


def test_a_fault_of_any_status_has_a_class() -> None:
    for status in range(100, 600):
        for dialect in (XAI, OPENAI, OPENROUTER):
            assert isinstance(wire_errors.classify(dialect, Fault(status)), errors.ProviderError)
        assert isinstance(gemini_errors.classify(Fault(status)), errors.ProviderError)
        assert isinstance(wavespeed_errors.classify(Fault(status)), errors.ProviderError)
