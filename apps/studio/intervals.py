"""How sure a figure is: intervals of 95 %, and the word that there is not enough to say."""

import math
from dataclasses import dataclass

FEWEST = 10  # observations under which nothing is said
Z = 1.959964


@dataclass(frozen=True)
class Interval:
    """A figure with its bounds. `n` is how many observations it is from; under FEWEST the figure is None."""

    n: int
    figure: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def enough(self) -> bool:
        return self.figure is not None

    def parts_from(self, other: "Interval") -> bool:
        """Whether the two do not overlap: only then is one said to be higher."""
        if None in (self.low, self.high, other.low, other.high):
            return False
        return self.low > other.high or other.low > self.high  # type: ignore[operator]


def share(count: int, n: int) -> Interval:
    """Wilson's score interval (1927): honest for few observations and near 0 and 1."""
    if n < FEWEST:
        return Interval(n)
    p, z2 = count / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Interval(n, p, max(middle - half, 0.0), min(middle + half, 1.0))


def mean(average: float | None, deviation: float | None, n: int) -> Interval:
    """Student's t interval of a mean; `deviation` is the sample's standard deviation."""
    if n < FEWEST or average is None or deviation is None:
        return Interval(n)
    half = t_quantile(n - 1) * deviation / math.sqrt(n)
    return Interval(n, average, average - half, average + half)


def per_success(cost_each: float, successes: Interval) -> Interval:
    """Cost of one success: what one try costs over the share that succeeds, between the bounds of that share."""
    if successes.figure is None or successes.low is None or successes.high is None:
        return Interval(successes.n)
    if successes.figure == 0 or successes.low <= 0:
        return Interval(successes.n)
    return Interval(successes.n, cost_each / successes.figure, cost_each / successes.high, cost_each / successes.low)


def t_quantile(degrees: int) -> float:
    """97.5 % of Student's t by the Cornish–Fisher expansion: within 0.001 from 9 degrees on."""
    z, d = Z, degrees
    return (
        z
        + (z**3 + z) / (4 * d)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * d**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * d**3)
    )
