"""xAI's wire protocol: shapes, arithmetic, refusals."""

import base64
import json
import uuid
from decimal import Decimal

import pytest
import requests

from apps.simulator.xai.catalogue import resolve
from apps.simulator.xai.completions import Usage
from tests.simulator.conftest import KEY, chat, data_uri
from tests.support.simulator import SimulatorProcess


def test_completion_has_the_captured_shape(sim: SimulatorProcess) -> None:
    body = chat(sim).json()
    assert set(body) == {"id", "object", "created", "model", "choices", "usage", "system_fingerprint"}
    assert str(uuid.UUID(body["id"])) == body["id"]
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"].keys() == {"role", "content", "refusal"}
    assert body["choices"][0]["finish_reason"] == "stop"


def test_reasoning_tokens_are_additional(sim: SimulatorProcess) -> None:
    usage = chat(sim, images=(data_uri(),)).json()["usage"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert reasoning > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + reasoning
    assert usage["prompt_tokens_details"]["image_tokens"] > 0


def test_ticks_agree_with_the_price_table(sim: SimulatorProcess) -> None:
    usage = chat(sim, model="grok-4.6").json()["usage"]
    output = usage["completion_tokens"] + usage["completion_tokens_details"]["reasoning_tokens"]
    dollars = usage["prompt_tokens"] * Decimal("2.00") / 10**6 + output * Decimal("6.00") / 10**6
    assert Decimal(usage["cost_in_usd_ticks"]) / 10**10 == dollars
    assert Decimal(sim.ledger("xai")[0]["cost"]) == dollars


def test_known_arithmetic_fixture() -> None:
    usage = Usage(text=32, image=0, cached=0, completion=9, reasoning=94)
    resolved = resolve("grok-4.3")
    assert resolved is not None
    assert usage.total == 135
    assert usage.ticks(resolved.model) == 32 * 12500 + 103 * 25000


def test_long_prompts_cost_double() -> None:
    resolved = resolve("grok-4.7")
    assert resolved is not None
    assert resolved.model.cost_ticks(prompt=200_000, cached=0, output=0) == 2 * 200_000 * 20000


@pytest.mark.parametrize("name", ["grok-4-0709", "grok-4-fast-non-reasoning", "grok-3", "grok-code-fast-1"])
def test_retired_names_answer_as_another_model(sim: SimulatorProcess, name: str) -> None:
    body = chat(sim, model=name).json()
    assert body["model"] == "grok-4.3"
    reasoned = body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert reasoned is not name.endswith("non-reasoning")


def test_answer_is_an_image_prompt_about_what_was_sent(sim: SimulatorProcess) -> None:
    blue = chat(sim, images=(data_uri("#1040c0"),)).json()["choices"][0]["message"]["content"]
    tall = chat(sim, images=(data_uri("#20a040"), data_uri("#f4f4f4", (200, 400)))).json()
    tall = tall["choices"][0]["message"]["content"]
    assert 40 <= len(blue.split()) <= 120
    assert "blue" in blue
    assert "landscape" in blue
    assert "portrait" in tall
    assert "one reference" in tall
    assert "green" in tall
    assert not set("*#`") & set(blue + tall)


def test_enhance_keeps_the_existing_prompt(sim: SimulatorProcess) -> None:
    answer = chat(sim, text="Improve this.\nExisting prompt: a copper kettle beside pears\nInstructions: warmer light")
    content = answer.json()["choices"][0]["message"]["content"]
    assert "copper kettle beside pears" in content
    assert "warmer light" in content


@pytest.mark.parametrize("words", [0, 3, 40, 400])
def test_answers_have_40_to_120_words_whatever_was_said(sim: SimulatorProcess, words: int) -> None:
    said = f"<prompt>{'tall grass ' * words}</prompt>" if words else "Write the prompt."
    for colour in ("#000000", "#30a050", "#ffffff"):
        content = chat(sim, text=said, images=(data_uri(colour),) * 3).json()["choices"][0]["message"]["content"]
        assert 40 <= len(content.split()) <= 120
        assert len(content) <= 1200
        assert content.endswith(".")


def test_words_in_tags_are_the_users(sim: SimulatorProcess) -> None:
    said = "The target picture.\n\n<prompt>\nA brass lamp on slate\n</prompt>\n\n<wishes>\nfog outside\n</wishes>"
    content = chat(sim, text=said).json()["choices"][0]["message"]["content"]
    assert "a brass lamp on slate with fog outside" in content


def test_same_request_same_answer_other_seed_other_answer(sim: SimulatorProcess) -> None:
    first, second = (chat(sim).json()["choices"][0]["message"]["content"] for _ in range(2))
    assert first == second
    with SimulatorProcess("--seed", "7") as other:
        assert chat(other).json()["choices"][0]["message"]["content"] != first


def test_structured_output_fits_the_schema(sim: SimulatorProcess) -> None:
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}, "tone": {"enum": ["calm", "bold"]}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "p", "schema": schema, "strict": True}}
    body = json.loads(chat(sim, response_format=wanted).json()["choices"][0]["message"]["content"])
    assert set(body) == {"prompt", "tone"}
    assert body["tone"] in ("calm", "bold")


def test_stream_ends_with_usage_then_done(sim: SimulatorProcess) -> None:
    reply = chat(sim, stream=True)
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    events = reply.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["usage"]["total_tokens"] > 0
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert said == chat(sim).json()["choices"][0]["message"]["content"]


def test_stream_can_break_in_the_middle(sim: SimulatorProcess) -> None:
    sim.scenario("xai", stream_error_after_chunks=3)
    events = chat(sim, stream=True).text.strip().split("\n\n")
    assert len(events) == 4
    assert json.loads(events[-1].removeprefix("data: ")).keys() == {"code", "error"}


def test_deferred_is_pending_then_read_once_then_gone() -> None:
    with SimulatorProcess(latency_scale=1) as sim:
        request_id = chat(sim, deferred=True).json()["request_id"]
        address = f"{sim.xai_base}/chat/deferred-completion/{request_id}"
        pending = requests.get(address, headers=KEY, timeout=5)
        assert (pending.status_code, pending.content) == (202, b"")
        sim.advance(10)
        assert requests.get(address, headers=KEY, timeout=5).json()["object"] == "chat.completion"
        assert requests.get(address, headers=KEY, timeout=5).status_code == 404


def test_deferred_expires_after_a_day(sim: SimulatorProcess) -> None:
    request_id = chat(sim, deferred=True).json()["request_id"]
    sim.advance(24 * 3600)
    address = f"{sim.xai_base}/chat/deferred-completion/{request_id}"
    assert requests.get(address, headers=KEY, timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"stop": "END"}, 400, "does not support parameter stop"),
        ({"presence_penalty": 1}, 400, "presencePenalty"),
        ({"tool_choice": "auto"}, 400, "A tool_choice was set on the request but no tools were specified."),
        ({"store": False}, 400, "Argument not supported: store"),
        ({"search_parameters": {"mode": "on"}}, 410, "deprecated"),
        ({"model": "grok-99"}, 400, "Model not found: grok-99"),
        ({"reasoning_effort": "none", "model": "grok-4.6"}, 400, "reasoningEffort"),
        ({"temperature": "hot"}, 422, "Failed to deserialize the JSON body into the target type: temperature"),
        ({"messages": "hello"}, 422, "messages"),
        ({"deferred": True, "stream": True}, 400, "streamed"),
    ],
)
def test_bad_requests_are_refused_in_flat_bodies(sim: SimulatorProcess, change: dict, status: int, words: str) -> None:
    reply = chat(sim, **change)
    assert reply.status_code == status
    assert words in reply.json()["error"]
    assert reply.json().keys() <= {"code", "error"}
    assert sim.ledger("xai") == []


def test_stop_is_fine_without_reasoning(sim: SimulatorProcess) -> None:
    assert chat(sim, stop="END", reasoning_effort="none").status_code == 200
    assert chat(sim, stop="END", model="grok-4.20-non-reasoning").status_code == 200


def test_keys(sim: SimulatorProcess) -> None:
    address = f"{sim.xai_base}/chat/completions"
    missing = requests.post(address, json={}, timeout=5)
    wrong = requests.post(address, json={}, headers={"Authorization": "Bearer xai-abcdef"}, timeout=5)
    assert missing.status_code == 401
    assert wrong.status_code == 400
    assert wrong.json()["error"].startswith("Incorrect API key provided: xa***ef.")
    sim.account("xai", key="xai-abcdef")
    assert requests.get(f"{sim.xai_base}/api-key", headers={"Authorization": "Bearer xai-abcdef"}, timeout=5).ok


def test_body_must_be_json(sim: SimulatorProcess) -> None:
    address = f"{sim.xai_base}/chat/completions"
    assert requests.post(address, data=b"{}", headers=KEY, timeout=5).status_code == 415
    json_type = {**KEY, "Content-Type": "application/json"}
    assert requests.post(address, data=b"", headers=json_type, timeout=5).status_code == 415
    assert requests.post(address, data=b"{oops", headers=json_type, timeout=5).status_code == 400
    assert requests.get(address, headers=KEY, timeout=5).status_code == 405


def test_images_are_really_looked_at(sim: SimulatorProcess) -> None:
    fake = "data:image/png;base64," + base64.b64encode(b"not a picture at all").decode()
    cut = data_uri(size=(900, 900), kind="JPEG")[:400]
    large = "data:image/png;base64," + base64.b64encode(bytes(20 * 1024 * 1024 + 1)).decode()
    for source in (fake, cut, large, f"{sim.url}/nothing.png", "file:///etc/hostname"):
        assert chat(sim, images=(source,)).status_code == 400, source[:60]
    assert "20 MiB" in chat(sim, images=(large,)).json()["error"]
    assert sim.ledger("xai") == []


def test_catalogue_gives_prices(sim: SimulatorProcess) -> None:
    listed = requests.get(f"{sim.xai_base}/models", headers=KEY, timeout=5).json()
    assert listed["object"] == "list"
    models = requests.get(f"{sim.xai_base}/language-models", headers=KEY, timeout=5).json()["models"]
    newest = next(model for model in models if model["id"] == "grok-4.3")
    assert (newest["prompt_text_token_price"], newest["completion_text_token_price"]) == (12500, 25000)
    assert requests.get(f"{sim.xai_base}/models/grok-4.3", headers=KEY, timeout=5).json()["id"] == "grok-4.3"
    assert requests.get(f"{sim.xai_base}/models/none", headers=KEY, timeout=5).status_code == 404


def test_out_of_credits_and_rate_limit_are_both_429(sim: SimulatorProcess) -> None:
    sim.account("xai", requests_per_second=1)
    assert chat(sim).status_code == 200
    assert "rate limit" in chat(sim).json()["error"]
    sim.advance(1)
    assert chat(sim).status_code == 200
    sim.account("xai", balance=0)
    empty = chat(sim)
    assert empty.status_code == 429
    assert "used all available credits" in empty.json()["error"]
