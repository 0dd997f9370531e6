"""How long a provider takes: lognormal, clipped to what people find believable, scaled by the command line."""

import math
from dataclasses import dataclass

from apps.simulator.chance import chance


@dataclass(frozen=True)
class Spread:
    """Seconds."""

    median: float
    sigma: float
    least: float
    most: float


TEXT = Spread(median=3.0, sigma=0.3, least=2.0, most=6.0)
CUT_OUT = Spread(median=3.0, sigma=0.3, least=2.0, most=8.0)
IMAGE = Spread(median=6.0, sigma=0.3, least=4.0, most=12.0)


class Latency:
    def __init__(self, *, scale: float, seed: int) -> None:
        self.scale = scale
        self._random = chance(seed)

    def draw(self, spread: Spread) -> float:
        """Seconds to wait, already scaled."""
        seconds = self._random.lognormvariate(math.log(spread.median), spread.sigma)
        return self.scale * min(max(seconds, spread.least), spread.most)
