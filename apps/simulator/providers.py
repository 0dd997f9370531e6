"""The providers spoken here. Another one is a folder with a class like these and a line in this table."""

from collections.abc import Callable

from apps.simulator.gemini.provider import Gemini
from apps.simulator.openai.provider import OpenAI
from apps.simulator.openrouter.provider import OpenRouter
from apps.simulator.removebg.provider import RemoveBg
from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed.provider import WaveSpeed
from apps.simulator.wire import Provider
from apps.simulator.xai.provider import XAI

PROVIDERS: tuple[Callable[[Simulation], Provider], ...] = (XAI, WaveSpeed, OpenAI, RemoveBg, OpenRouter, Gemini)


def build_all(simulation: Simulation) -> list[Provider]:
    return [provider(simulation) for provider in PROVIDERS]
