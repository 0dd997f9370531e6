"""The remove.bg client against the simulator."""

import io
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image, ImageDraw

from apps.providers import errors
from apps.providers.removebg.client import RemoveBgClient
from apps.providers.removebg.errors import NothingToCut
from apps.providers.types import CutOut
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def removebg(simulator: SimulatorProcess) -> RemoveBgClient:
    return RemoveBgClient("sim-contract", simulator.base("removebg"))


def cup(ground: str = "#e8e6e2", front: str = "#a03020", size: tuple[int, int] = (900, 700)) -> bytes:
    picture = Image.new("RGB", size, ground)
    ImageDraw.Draw(picture).ellipse((size[0] * 0.3, size[1] * 0.2, size[0] * 0.7, size[1] * 0.9), fill=front)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92)
    return file.getvalue()


def cut(removebg: RemoveBgClient, photo: bytes | None = None, **more: Any) -> CutOut:
    return removebg.cut_out(photo or cup(), name="cup.jpg", content_type="image/jpeg", **{"seconds": 30, **more})


def refusal_of(removebg: RemoveBgClient, photo: bytes | None = None) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as refusal:
        cut(removebg, photo)
    return refusal.value


def test_a_product_is_cut_out_in_its_own_size_and_costs_a_credit(
    removebg: RemoveBgClient, simulator: SimulatorProcess
) -> None:
    made = cut(removebg)

    picture = Image.open(io.BytesIO(made.png))
    assert (picture.mode, picture.size) == ("RGBA", (900, 700))
    alpha = picture.getchannel("A")
    assert (alpha.getpixel((450, 400)), alpha.getpixel((20, 20))) == (255, 0)
    assert (made.credits, made.cost_usd, made.cost_source) == (Decimal(1), Decimal("0.20"), "reported")
    (purchase,) = simulator.ledger("removebg")
    assert Decimal(purchase["cost"]) == made.cost_usd


def test_a_preview_is_small_and_costs_a_quarter(removebg: RemoveBgClient) -> None:
    made = cut(removebg, size="preview")
    assert max(Image.open(io.BytesIO(made.png)).size) == 577
    assert made.cost_usd == Decimal("0.05")


def test_the_request_is_a_form_with_one_source(removebg: RemoveBgClient, simulator: SimulatorProcess) -> None:
    cut(removebg)
    (sent,) = simulator.requests("removebg")
    assert sent["headers"]["Content-Type"].startswith("multipart/form-data")
    assert sent["headers"]["Accept"] == "image/png"


def test_nothing_in_front_is_a_failure_of_the_photograph_and_free(
    removebg: RemoveBgClient, simulator: SimulatorProcess
) -> None:
    error = refusal_of(removebg, cup(front="#e8e6e2"))
    assert type(error) is NothingToCut
    assert error.charged is False
    assert "photograph" in error.action
    assert simulator.ledger("removebg") == []


SAID: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    ({"status": 402}, errors.PaymentRequired),
    ({"status": 403}, errors.AuthFailed),
    ({"status": 413}, errors.RequestTooLarge),
    ({"status": 400, "body": {"errors": [{"title": "File too large", "code": "file_too_large"}]}}, errors.RequestTooLarge),
    ({"status": 400, "body": {"errors": [{"title": "Failed to read", "code": "failed_to_read_image"}]}},
     errors.InputUnreadable),
    ({"status": 400, "body": {"errors": [{"title": "Invalid size", "code": "invalid_size"}]}}, errors.InvalidRequest),
    ({"status": 500}, errors.Overloaded),
    ({"html": True, "status": 502}, errors.Overloaded),
    ({"status": 200, "body": {"data": {}}}, errors.MalformedOutput),
    ({"drop_connection": "after"}, errors.TransientNetwork),
    ({"truncate_after_bytes": 200}, errors.TransientNetwork),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "kind"), SAID, ids=lambda value: str(value)[:60])
def test_each_failure_has_its_class_and_nothing_is_tried_again(
    removebg: RemoveBgClient, simulator: SimulatorProcess, effect: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    simulator.scenario("removebg", **effect)
    assert type(refusal_of(removebg)) is kind
    assert len(simulator.requests("removebg")) == 1


def test_a_rate_limit_says_how_long(removebg: RemoveBgClient, simulator: SimulatorProcess) -> None:
    simulator.account("removebg", requests_per_minute=1)
    cut(removebg)
    error = refusal_of(removebg)
    assert (type(error), error.retry_after) == (errors.RateLimited, 7)


def test_what_is_left_is_told_and_free(removebg: RemoveBgClient, simulator: SimulatorProcess) -> None:
    removebg.ping()
    cut(removebg)
    assert removebg.credits_left() == 4999
    assert len(simulator.ledger("removebg")) == 1


def test_a_key_that_is_wrong_or_missing_is_told(simulator: SimulatorProcess) -> None:
    for key in ("wrong", ""):
        with pytest.raises(errors.AuthFailed):
            RemoveBgClient(key, simulator.base("removebg")).ping()


def test_a_file_that_is_no_picture_is_unreadable(removebg: RemoveBgClient) -> None:
    assert type(refusal_of(removebg, b"no picture at all")) is errors.InputUnreadable
