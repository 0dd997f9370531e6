"""Both clients against a simulator of their own, as a process. Imports are late: this is read before Django is up."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.support.simulator import SimulatorProcess

if TYPE_CHECKING:
    from apps.providers.wavespeed.client import WavespeedClient
    from apps.providers.xai.client import XaiClient

KEY = "sim-contract"


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    from apps.providers.wavespeed import prices

    simulator_process.reset()
    prices._prices.clear()
    return simulator_process


@pytest.fixture
def xai(simulator: SimulatorProcess) -> "XaiClient":
    from apps.providers.xai.client import XaiClient

    return XaiClient(KEY, simulator.xai_base)


@pytest.fixture
def wavespeed(simulator: SimulatorProcess) -> "WavespeedClient":
    from apps.providers.wavespeed.client import WavespeedClient

    return WavespeedClient(KEY, simulator.wavespeed_base)


@pytest.fixture
def jpeg() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(data, "JPEG")
    return data.getvalue()
