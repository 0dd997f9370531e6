"""The providers spoken here. Another one is a folder with a class like these and a line in this table."""

from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed.provider import WaveSpeed
from apps.simulator.wire import Provider
from apps.simulator.xai.provider import XAI

PROVIDERS: tuple[type[XAI] | type[WaveSpeed], ...] = (XAI, WaveSpeed)


def build_all(simulation: Simulation) -> list[Provider]:
    return [provider(simulation) for provider in PROVIDERS]
