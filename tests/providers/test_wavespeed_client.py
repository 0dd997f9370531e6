"""The WaveSpeed client against the simulator: reference §10, items 1 and 6."""

from typing import Any

import pytest

from apps.providers.wavespeed.client import WavespeedClient
from tests.support.simulator import SimulatorProcess

MODEL = "bytedance/seedream-v4.5/edit"

pytestmark = pytest.mark.django_db(transaction=True)


def inputs_of(url: str, prompt: str = "A teapot on slate", **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "images": [url], "size": "1024*1024", "seed": 7, **more}


def test_submit_poll_and_download(wavespeed: WavespeedClient, simulator: SimulatorProcess, jpeg: bytes) -> None:
    url = wavespeed.upload(jpeg, filename="teapot.jpg", content_type="image/jpeg")
    prediction = wavespeed.submit(model=MODEL, inputs=inputs_of(url), seconds=20)
    done = wavespeed.prediction(prediction.id, seconds=20)

    assert prediction.id
    assert done.succeeded
    assert done.model == MODEL
    (output,) = done.outputs
    assert wavespeed.download(output, seconds=20, max_bytes=20_000_000).startswith(b"\xff\xd8")
    assert [purchase["id"] for purchase in simulator.ledger("wavespeed")] == [prediction.id]
