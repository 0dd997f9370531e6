"""What was paid for is kept: pictures beyond what people may bring, and what our reader cannot open at all."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from apps.core.errors import Problem
from apps.providers.errors import TransientNetwork
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.studio.results import Fetched, fetch
from tests.faults.scene import upload_result
from tests.support.simulator import SimulatorProcess


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def encoded(form: str, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "teal").save(data, form, **options)
    return data.getvalue()


def noise(edge: int) -> bytes:
    data = io.BytesIO()
    Image.frombytes("RGB", (edge, edge), os.urandom(3 * edge * edge)).save(data, "PNG", compress_level=0)
    return data.getvalue()


def fetched(
    simulator: SimulatorProcess, *results: bytes, as_it_is: bool, seconds: float = 60, **more: Any
) -> list[Fetched]:
    client = WavespeedClient("simulator", simulator.wavespeed_base)
    urls = tuple(upload_result(simulator, data, "result.png") for data in results)
    return fetch(client, Prediction("p", "m", "completed", outputs=urls, **more), seconds=seconds, as_it_is=as_it_is)


def stored(kept: Fetched) -> bytes:
    with default_storage.open(kept.file) as file:
        return file.read()


def test_a_picture_beyond_the_limits_of_uploads_is_kept_and_shown(simulator: SimulatorProcess) -> None:
    data = noise(2900)
    assert len(data) > 24_000_000
    [kept] = fetched(simulator, data, as_it_is=False)
    assert (kept.width, kept.height, kept.unreadable) == (2900, 2900, "")
    assert stored(kept) == data


CUT = encoded("JPEG", (640, 480))[:3000]
NOT_PICTURES = {
    "bomb": (encoded("PNG", (15_000, 15_000), optimize=True), ".png"),
    "tiny": (encoded("PNG", (1, 1)), ".png"),
    "gif": (encoded("GIF"), ".gif"),
    "bmp": (encoded("BMP"), ".bmp"),
    "tiff": (encoded("TIFF"), ".tif"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', ".svg"),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(100), ".mp4"),
    "cut": (CUT, ".jpg"),
    "bytes": (bytes(range(256)), ".bin"),
}


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_cannot_be_shown_is_kept_as_it_came(simulator: SimulatorProcess, name: str) -> None:
    data, suffix = NOT_PICTURES[name]
    [kept] = fetched(simulator, data, as_it_is=True)
    assert kept.unreadable.startswith("image_")
    assert (kept.bytes, kept.file.endswith(suffix)) == (len(data), True)
    assert stored(kept) == data
    with default_storage.open(kept.thumbnail) as file:
        assert Image.open(file).format == "WEBP"


def test_what_may_only_have_been_cut_on_the_way_is_fetched_again_first(simulator: SimulatorProcess) -> None:
    with pytest.raises(Problem, match="image_not_readable"):
        fetched(simulator, CUT, as_it_is=False)


@pytest.mark.parametrize("page", [b"<html>Bad Gateway</html>", b'{"error": "gone"}', b"Not found\n"])
def test_an_error_page_is_no_result(simulator: SimulatorProcess, page: bytes) -> None:
    with pytest.raises(Problem, match="image_not_readable"):
        fetched(simulator, page, as_it_is=True)


def test_each_output_keeps_its_own_flag(simulator: SimulatorProcess) -> None:
    two = (encoded("PNG"), encoded("JPEG"))
    assert [kept.nsfw for kept in fetched(simulator, *two, as_it_is=False, flagged=frozenset({1}))] == [False, True]


def test_all_outputs_share_the_time_there_is(simulator: SimulatorProcess) -> None:
    """Two that take their time: the second has only what the first left of it."""
    simulator.scenario("wavespeed", match={"path": "*-cdn/*"}, times=None, delay_ms=2500)
    with pytest.raises(TransientNetwork):
        fetched(simulator, encoded("PNG"), encoded("JPEG"), as_it_is=False, seconds=4)
    simulator.reset()
