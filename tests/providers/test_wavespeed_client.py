"""The WaveSpeed client against the simulator: reference §10, items 1 and 6."""

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.providers import errors
from apps.providers.models import Upload
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import MOST_PAGES, WavespeedClient
from apps.providers.wavespeed.errors import task_error
from tests.support.simulator import SimulatorProcess

MODEL = "bytedance/seedream-v4.5/edit"

pytestmark = pytest.mark.django_db(transaction=True)


def inputs_of(url: str, prompt: str = "A teapot on slate", **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "images": [url], "size": "1024*1024", "seed": 7, **more}


@pytest.fixture
def url(wavespeed: WavespeedClient, jpeg: bytes) -> str:
    return wavespeed.upload(jpeg, filename="teapot.jpg", content_type="image/jpeg")


def submit_error(wavespeed: WavespeedClient, url: str, seconds: float = 20, model: str = MODEL) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        wavespeed.submit(model=model, inputs=inputs_of(url), seconds=seconds)
    return refusal.value


def submits(simulator: SimulatorProcess) -> int:
    return len(simulator.requests("wavespeed", path="/seedream"))


def test_submit_poll_and_download(wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str) -> None:
    prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url), seconds=20)
    done = wavespeed.prediction(prediction.id, seconds=20)

    assert prediction.id
    assert done.succeeded
    assert done.model == MODEL
    (output,) = done.outputs
    assert wavespeed.download(output, seconds=20, max_bytes=20_000_000).startswith(b"\xff\xd8")
    assert [purchase["id"] for purchase in simulator.ledger("wavespeed")] == [prediction.id]


def test_one_picture_is_uploaded_once_in_six_days(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, jpeg: bytes, url: str
) -> None:
    assert wavespeed.upload(jpeg, filename="other.jpg", content_type="image/jpeg") == url
    assert wavespeed.upload(jpeg + b"\0", filename="b.jpg", content_type="image/jpeg") != url
    assert len(simulator.requests("wavespeed", path="/media/upload")) == 2

    old = Upload.objects.get(url=url)
    old.created_at -= timedelta(days=6)
    old.save()
    again = wavespeed.upload(jpeg, filename="teapot.jpg", content_type="image/jpeg")
    assert again != url
    assert Upload.objects.count() == 2


def test_a_copy_that_cannot_be_read_is_sent_again(wavespeed: WavespeedClient, jpeg: bytes, url: str) -> None:
    wavespeed.forget_uploads(inputs_of(url))
    assert wavespeed.upload(jpeg, filename="teapot.jpg", content_type="image/jpeg") != url


def test_price_is_exact_and_asked_once(wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str) -> None:
    first = wavespeed.price(MODEL, inputs_of(url))
    assert wavespeed.price(MODEL, inputs_of(url, prompt="Another", seed=8)) == first
    assert first == Decimal("0.04")
    assert len(simulator.requests("wavespeed", path="/model/price")) == 1


def test_balance_and_webhook_secret(wavespeed: WavespeedClient) -> None:
    assert wavespeed.balance() > 0
    assert wavespeed.webhook_secret().startswith("whsec_")


@pytest.mark.parametrize("key", ["wrong-key-wrong-key", ""])
def test_a_wrong_or_missing_key(simulator: SimulatorProcess, key: str) -> None:
    error = submit_error(WavespeedClient(key, simulator.wavespeed_base), "https://example.com/a.jpg")
    assert (type(error), error.sent, error.detail) == (errors.AuthFailed, True, "")


def test_an_unknown_model(wavespeed: WavespeedClient, url: str) -> None:
    assert type(submit_error(wavespeed, url, model="nobody/nothing")) is errors.ModelUnavailable


KNOWN, UNKNOWN, NEVER = True, None, False
CASES: list[tuple[dict[str, Any], type[errors.ProviderError], bool | None]] = [
    ({"status": 400, "error_text": "Insufficient credits. Please top up."}, errors.PaymentRequired, KNOWN),
    ({"status": 402}, errors.PaymentRequired, KNOWN),
    ({"status": 400, "error_text": "size must be W*H"}, errors.InvalidRequest, KNOWN),
    ({"status": 413}, errors.RequestTooLarge, KNOWN),
    ({"status": 429}, errors.RateLimited, KNOWN),
    ({"status": 503}, errors.Overloaded, KNOWN),
    ({"status": 408}, errors.Overloaded, UNKNOWN),
    ({"status": 500}, errors.Overloaded, UNKNOWN),
    ({"status": 504}, errors.Overloaded, UNKNOWN),
    ({"html": True, "status": 502}, errors.Overloaded, UNKNOWN),
    ({"html": True, "status": 503}, errors.Overloaded, UNKNOWN),
    ({"status": 200, "body": {"code": 429, "message": "Too Many Requests"}}, errors.RateLimited, KNOWN),
    ({"status": 200, "body": {"code": 1200, "message": "Content moderation"}}, errors.ContentRefused, KNOWN),
    ({"status": 200, "body": {"code": 500, "message": "oops"}}, errors.Overloaded, UNKNOWN),
    ({"status": 200, "body": "<html>hello</html>"}, errors.MalformedOutput, UNKNOWN),
    ({"status": 200, "body": {"code": 200, "message": "success", "data": {}}}, errors.MalformedOutput, UNKNOWN),
    ({"status": 200, "body": {"code": 200, "message": "success", "data": None}}, errors.MalformedOutput, UNKNOWN),
    ({"status": 200, "body": "[]"}, errors.MalformedOutput, UNKNOWN),
    ({"create_then_timeout": "drop"}, errors.TransientNetwork, UNKNOWN),
    ({"drop_connection": "before"}, errors.TransientNetwork, UNKNOWN),
    ({"truncate_after_bytes": 40}, errors.TransientNetwork, UNKNOWN),
    ({"endless": True}, errors.MalformedOutput, UNKNOWN),
    ({"gzip": True}, errors.TransientNetwork, UNKNOWN),
]


@pytest.mark.parametrize(("effect", "kind", "sent"), CASES, ids=lambda value: str(value)[:60])
def test_each_failed_submit_has_its_class_and_says_whether_a_task_may_exist(
    wavespeed: WavespeedClient,
    simulator: SimulatorProcess,
    url: str,
    effect: dict[str, Any],
    kind: type[errors.ProviderError],
    sent: bool | None,
) -> None:
    simulator.scenario("wavespeed", match={"path": "*seedream*"}, **effect)
    error = submit_error(wavespeed, url)

    assert (type(error), error.sent) == (kind, sent)
    assert submits(simulator) == 1, "a submit is never sent twice"


def test_a_submit_that_hangs_ends_in_time(wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str) -> None:
    simulator.scenario("wavespeed", match={"path": "*seedream*"}, create_then_timeout=True)
    error = submit_error(wavespeed, url, seconds=0.5)

    assert (type(error), error.sent) == (errors.TransientNetwork, UNKNOWN)
    assert len(simulator.ledger("wavespeed")) == 1


def test_a_submit_that_cannot_connect_was_surely_not_sent() -> None:
    error = submit_error(WavespeedClient("sim-x", "http://127.0.0.1:9"), "https://example.com/a.jpg")
    assert (type(error), error.sent) == (errors.TransientNetwork, NEVER)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1200, errors.ContentRefused),
        (1400, errors.InvalidRequest),
        (1401, errors.InvalidRequest),
        (1402, errors.InputUnreadable),
        (1403, errors.TaskFailed),
        (1405, errors.TaskFailed),
        (5000, errors.Overloaded),
        (5003, errors.Overloaded),
        (5004, errors.Overloaded),
    ],
)
def test_each_task_code_has_its_class(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str, code: int, kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("wavespeed", task_status="failed", task_code=code)
    prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url), seconds=20)
    failed = wavespeed.prediction(prediction.id)

    assert failed.failed
    error = task_error(failed)
    assert (type(error), error.charged, error.provider_code) == (kind, False, str(code))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Flagged by content moderation", errors.ContentRefused),
        ("Failed to download image from the provided URL.", errors.InputUnreadable),
        ("Service temporarily unavailable", errors.Overloaded),
        ("prompt is required", errors.InvalidRequest),
        ("", errors.TaskFailed),
    ],
)
def test_a_task_without_a_code_is_judged_by_its_words(text: str, kind: type[errors.ProviderError]) -> None:
    assert type(task_error(Prediction(id="p", model=MODEL, status="failed", error=text))) is kind


def test_a_task_that_is_gone_is_a_lost_result(wavespeed: WavespeedClient) -> None:
    with pytest.raises(errors.ResultLost):
        wavespeed.prediction("0" * 32)


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"output_status": 404}, errors.ResultLost),
        ({"output_status": 500}, errors.Overloaded),
        ({"output_body": ""}, errors.MalformedOutput),
        ({"output_url": "http://169.254.169.254/latest/meta-data"}, errors.MalformedOutput),
        ({"output_url": "https://example.com/out.png"}, errors.MalformedOutput),
        ({"output_url": "file:///etc/passwd"}, errors.MalformedOutput),
    ],
)
def test_a_result_that_cannot_be_fetched(
    wavespeed: WavespeedClient,
    simulator: SimulatorProcess,
    url: str,
    effect: dict[str, Any],
    kind: type[errors.ProviderError],
) -> None:
    simulator.scenario("wavespeed", **effect)
    prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url), seconds=20)
    (output,) = wavespeed.prediction(prediction.id).outputs
    with pytest.raises(errors.ProviderError) as refusal:
        wavespeed.download(output, seconds=20)
    assert type(refusal.value) is kind


def test_a_named_host_that_resolves_inside_is_not_fetched(wavespeed: WavespeedClient, settings: Settings) -> None:
    settings.WAVESPEED_RESULT_HOSTS = ["localhost"]
    with pytest.raises(errors.MalformedOutput):
        wavespeed.download("http://localhost:9/out.png", seconds=2)


def test_a_result_larger_than_allowed_is_refused(wavespeed: WavespeedClient, url: str) -> None:
    prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url), seconds=20)
    with pytest.raises(errors.MalformedOutput):
        wavespeed.download(wavespeed.prediction(prediction.id).outputs[0], seconds=20, max_bytes=1000)


def test_outputs_as_objects_and_as_naked_base64_decode_too(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str
) -> None:
    simulator.scenario("wavespeed", output_objects=True)
    for more in ({}, {"enable_base64_output": True}):
        prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url, **more), seconds=20)
        (output,) = wavespeed.prediction(prediction.id).outputs
        assert wavespeed.download(output, seconds=20).startswith(b"\xff\xd8")


def test_a_result_inline_is_decoded(wavespeed: WavespeedClient) -> None:
    assert wavespeed.download(f"data:image/png;base64,{base64.b64encode(b'png').decode()}") == b"png"


def test_find_reads_every_page(
    wavespeed: WavespeedClient, simulator: SimulatorProcess, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.providers.wavespeed.client.PAGE_SIZE", 2)
    made = [wavespeed.submit(model=MODEL, inputs=inputs_of(url, seed=n), seconds=20) for n in range(5)]
    wavespeed.submit(model="bytedance/seedream-v4/edit", inputs=inputs_of(url), seconds=20)
    created = made[0].created_at
    assert created is not None
    found = wavespeed.find(model=MODEL, created_after=created.replace(microsecond=0))

    assert {task.id for task in found} == {task.id for task in made}
    assert {task.inputs["seed"] for task in found} == set(range(5))


def test_a_list_that_never_ends_is_given_up_in_time(wavespeed: WavespeedClient, simulator: SimulatorProcess) -> None:
    item = {"id": "a" * 32, "model": MODEL, "status": "completed", "created_at": "2026-11-22T00:00:00Z"}
    body = {"code": 200, "message": "success", "data": {"page": 1, "total": 1000, "items": [item]}}
    simulator.scenario("wavespeed", match={"path": "*/predictions"}, times=None, status=200, body=body)
    with pytest.raises(errors.MalformedOutput):
        wavespeed.find(model=MODEL, created_after=datetime(2026, 11, 22, tzinfo=UTC), seconds=10)
    assert len(simulator.requests("wavespeed", path="/predictions")) == MOST_PAGES
