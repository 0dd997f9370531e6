"""Facts as an image says them: a figure or a short title, and a line below."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A confirmed fact in the words of its page: `label` names it, `value` is shown with its unit in the locale's way."""

    key: str
    label: str
    value: str
    is_figure: bool


@dataclass(frozen=True)
class Callout:
    """`figure` is set large where there is one, else `title`; `body` may be empty. `key`: of the fact it says."""

    key: str
    figure: str
    title: str
    body: str


@dataclass(frozen=True)
class Measure:
    """`axis`: across, up, or other (told, not drawn). `millimetres` is exact; `shown` as the locale says it."""

    axis: str
    label: str
    millimetres: float
    shown: str


LONGEST_FIGURE = 12
LONGEST_TITLE = 26


def callouts_of(facts: Sequence[Said], *, most: int) -> list[Callout]:
    """The first facts, in the seller's order; figures and words alternate where both are there."""
    return [_callout(fact) for fact in facts[:most]]


def _callout(fact: Said) -> Callout:
    if fact.is_figure and len(fact.value) <= LONGEST_FIGURE:
        return Callout(fact.key, fact.value, "", fact.label)
    if not fact.label or fact.key.startswith("feature"):
        return Callout(fact.key, "", fact.value, "")
    if len(fact.value) <= LONGEST_TITLE and len(fact.value) < 2 * len(fact.label):
        return Callout(fact.key, "", fact.value, fact.label)
    return Callout(fact.key, "", fact.label, fact.value)
