"""Pictures from pictures at OpenAI, against the simulator."""

import base64
import io
from decimal import Decimal
from typing import Any

import pytest
import requests
from PIL import Image, ImageDraw

from apps.providers import errors
from apps.providers.openai.client import OpenAIClient
from apps.providers.openai.images import at_most
from apps.providers.types import EditRequest, ImagePart
from tests.support.simulator import SimulatorProcess

MODEL = "gpt-image-2.6-flare"


@pytest.fixture
def openai(simulator: SimulatorProcess) -> OpenAIClient:
    return OpenAIClient("sim-contract", simulator.base("openai"))


def png_of_a_cut_out() -> bytes:
    picture = Image.new("RGBA", (400, 500), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((60, 60, 340, 460), fill=(20, 160, 90, 255))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def cut_out() -> ImagePart:
    return ImagePart(f"data:image/png;base64,{base64.b64encode(png_of_a_cut_out()).decode()}")


def edit(**more: Any) -> EditRequest:
    asked = {"model": MODEL, "prompt": "The cup on a kitchen table in the morning.", "pictures": (cut_out(),)}
    return EditRequest(**(asked | more))


def refusal_of(openai: OpenAIClient, request: EditRequest) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        openai.edit(request, seconds=30)
    return refusal.value


def test_the_product_that_was_sent_stands_in_what_comes_back(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    answer = openai.edit(edit(size="1536x1024", quality="low"), seconds=30)

    [made] = answer.pictures
    picture = Image.open(io.BytesIO(made)).convert("RGB")
    assert picture.size == (1536, 1024)
    assert (20, 160, 90) in {picture.getpixel((x, y)) for x in range(0, 1536, 16) for y in range(0, 1024, 16)}
    assert answer.content_type == "image/png"
    assert answer.id.startswith("req_")
    (purchase,) = simulator.ledger("openai")
    assert answer.cost_usd == Decimal(purchase["cost"])
    assert answer.cost_source == "priced"
    assert answer.cost_usd < (at_most(edit(size="1536x1024", quality="low")) or 0)


def test_several_come_in_the_format_that_was_asked(openai: OpenAIClient) -> None:
    answer = openai.edit(edit(count=2, format="jpeg"), seconds=30)
    assert len(answer.pictures) == 2
    assert {Image.open(io.BytesIO(one)).format for one in answer.pictures} == {"JPEG"}


def test_the_request_is_one_of_json_with_everything_in_it(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    openai.edit(edit(background="opaque"), seconds=30)
    (sent,) = simulator.requests("openai")
    assert set(sent["json"]) == {"model", "prompt", "images", "n", "size", "quality", "output_format", "background"}


def test_a_picture_that_is_refused_is_not_charged(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    simulator.scenario("openai", refusal=True)
    assert type(refusal_of(openai, edit())) is errors.ContentRefused
    assert simulator.ledger("openai") == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"model": "dall-e-3"}, errors.ModelUnavailable),
        ({"size": "123x456"}, errors.InvalidRequest),
        ({"pictures": ()}, errors.InputUnreadable),
        ({"pictures": (ImagePart("data:image/png;base64,AAAA"),)}, errors.InputUnreadable),
    ],
)
def test_what_is_wrong_with_a_request_has_its_class(
    openai: OpenAIClient, changed: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    assert type(refusal_of(openai, edit(**changed))) is kind


def test_an_answer_without_a_picture_is_malformed_and_costs_what_it_says(
    openai: OpenAIClient, simulator: SimulatorProcess
) -> None:
    usage = {"input_tokens_details": {"text_tokens": 10, "image_tokens": 300}, "output_tokens": 272}
    simulator.scenario("openai", status=200, body={"created": 1, "data": [{}], "usage": usage})
    error = refusal_of(openai, edit())
    assert type(error) is errors.MalformedOutput
    assert error.cost_usd == (10 * Decimal(5) + 300 * Decimal(8) + 272 * Decimal(30)) / 10**6


def test_models_of_old_end_on_their_day(openai: OpenAIClient, simulator: SimulatorProcess) -> None:
    simulator.advance(30 * 86_400)
    assert type(refusal_of(openai, edit(model="gpt-image-1-mini"))) is errors.ModelUnavailable


def test_the_simulator_takes_a_form_too(simulator: SimulatorProcess) -> None:
    reply = requests.post(
        f"{simulator.base('openai')}/images/edits",
        headers={"Authorization": "Bearer sim-x"},
        data={"model": MODEL, "prompt": "A cup.", "size": "1024x1024"},
        files=[("image[]", ("cup.png", png_of_a_cut_out(), "image/png"))],
        timeout=30,
    )
    assert reply.status_code == 200, reply.text
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] > 0


def test_pictures_of_words_alone(simulator: SimulatorProcess) -> None:
    reply = requests.post(
        f"{simulator.base('openai')}/images/generations",
        headers={"Authorization": "Bearer sim-x"},
        json={"model": MODEL, "prompt": "A quiet harbour.", "size": "1024x1024", "quality": "low"},
        timeout=30,
    )
    assert base64.b64decode(reply.json()["data"][0]["b64_json"]).startswith(b"\x89PNG")
