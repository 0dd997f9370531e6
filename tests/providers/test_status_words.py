"""WaveSpeed's words: codes that come as text, and how a task ended in words that its documentation does not name."""

from typing import Any

import pytest

from apps.core.http import Reply
from apps.providers import errors
from apps.providers.types import Prediction
from apps.providers.wavespeed.errors import task_error
from apps.providers.wavespeed.payloads import open_envelope, read_prediction
from tests.support.simulator import SimulatorProcess


def envelope(code: Any, **more: Any) -> Reply:
    import orjson

    return Reply(200, {"retry-after": "3600"}, orjson.dumps({"code": code, "message": "Too Many Requests", **more}))


@pytest.mark.parametrize("code", [429, "429", " 429 "])
def test_a_limit_is_one_when_its_code_is_text(code: Any) -> None:
    with pytest.raises(errors.RateLimited) as limited:
        open_envelope(envelope(code), submitting=True)
    assert (limited.value.retry_after, limited.value.charged) == (3600, False)


@pytest.mark.parametrize("code", ["503", "5003", 5003])
def test_a_broken_provider_is_one_when_its_code_is_text(code: Any) -> None:
    with pytest.raises(errors.Overloaded):
        open_envelope(envelope(code))


@pytest.mark.parametrize("code", [200, "200", None])
def test_a_success_is_one_when_its_code_is_text(code: Any) -> None:
    assert open_envelope(envelope(code, data={"id": "p"})) == {"id": "p"}


def test_any_other_code_is_a_refusal() -> None:
    with pytest.raises(errors.InvalidRequest):
        open_envelope(envelope("bad_request"))


def task(status: str, **more: Any) -> Prediction:
    return read_prediction({"id": "p", "status": status, **more})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("failed", errors.TaskFailed),
        ("Canceled", errors.TaskFailed),
        ("cancelled", errors.TaskFailed),
        ("error", errors.TaskFailed),
        ("moderated", errors.ContentRefused),
        ("blocked", errors.ContentRefused),
        ("nsfw", errors.ContentRefused),
        ("timed_out", errors.Overloaded),
        ("expired", errors.TaskFailed),
    ],
)
def test_each_word_for_a_failure_is_an_end(status: str, kind: type[errors.ProviderError]) -> None:
    ended = task(status)
    assert (ended.failed, ended.succeeded) == (True, False)
    assert type(task_error(ended)) is kind


def test_a_tasks_code_may_be_text() -> None:
    assert type(task_error(task("failed", code="1402"))) is errors.InputUnreadable


@pytest.mark.parametrize("word", ["completed", "success", "Done", "shiny"])
def test_outputs_are_a_success_in_any_word(word: str) -> None:
    assert task(word, outputs=["https://cdn.example/a.png"]).succeeded


@pytest.mark.parametrize("more", [{"error": "No."}, {"code": 1403}])
def test_an_unknown_word_that_says_what_is_wrong_is_a_failure(more: dict[str, Any]) -> None:
    assert task("kaput", **more).failed


@pytest.mark.parametrize(
    ("word", "more"), [("queued", {}), ("processing", {"code": 5004, "error": "It goes on."}), ("musing", {}), ("", {})]
)
def test_what_goes_on_is_looked_at_again(word: str, more: dict[str, Any]) -> None:
    assert not task(word, **more).finished


def test_each_output_keeps_its_flag_when_an_empty_one_is_left_out() -> None:
    read = task("completed", outputs=["", "https://cdn.example/a.png", "b"], has_nsfw_contents=[True, False, True])
    assert (len(read.outputs), read.flagged) == (2, {1})


@pytest.mark.django_db(transaction=True)
def test_the_simulators_own_words(simulator: SimulatorProcess) -> None:
    """A task that the provider calls canceled, from submit to the last look."""
    from apps.providers.wavespeed.client import WavespeedClient

    client = WavespeedClient("sim-contract", simulator.wavespeed_base)
    simulator.scenario("wavespeed", task_status="canceled")
    made = client.submit(model="bytedance/seedream-v4.5", inputs={"prompt": "A teapot"})
    assert client.prediction(made.id).failed
