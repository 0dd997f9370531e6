"""What went wrong, what to do about it, and what it cost: the one home of these words (waits and amounts: words.py)."""

from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import Remedy
from apps.pages.words import money


@dataclass(frozen=True)
class Trouble:
    """`remedy` is what to do as a code, which chooses the row's buttons; the words are for people only."""

    said: str
    todo: str
    remedy: Remedy = Remedy.NONE


# For errors recorded without words of their own; the others bring theirs (apps/providers/errors.py, apps/assets).
_TROUBLES = {
    "crashed_repeatedly": (
        "The worker died 3 times on this job, so we stopped. The others go on.",
        "Show it to whoever runs this desk.",
    ),
    "outcome_unknown": (
        "We cannot tell whether the provider took this order. It was not sent again.",
        "Retry looks for it once more and buys nothing while it may exist. Whoever runs this desk can settle it.",
    ),
    "dependency_failed": ("No prompt could be written.", "Type a prompt and press Generate."),
    "prompt_failed": ("No prompt could be written.", "Type a prompt and press Generate."),
    "timed_out": ("It took longer than one try may take.", "Try it again."),
}
_UNSAID = ("It failed, and nothing more is known here.", "Try it again; the job's page has every event.")


def trouble(code: str, message: str = "", action: str = "", remedy: Remedy = Remedy.NONE) -> Trouble:
    """What happened and what to do. The error's own words stand; the table speaks for those that have none."""
    said, todo = _TROUBLES.get(code, _UNSAID)
    return Trouble(message or said, action or ("" if message else todo), remedy)


def charged(cost: Decimal | None) -> str:
    """None: an order is still open, or its price was never told."""
    if cost is None:
        return "What it cost is not known yet."
    return f"{money(cost)} was charged." if cost else "Nothing was charged."
