"""Magic words in a prompt or a model name; the table is in the package's docstring."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable

from apps.simulator.scenarios import Effect, Subject

WORD = re.compile(r"\bsim-(?P<name>[a-z]+|\d{3})(?:-(?P<number>\d+))?(?:x(?P<times>\d+))?\b", re.IGNORECASE)

EFFECTS: dict[str, Callable[[int], Effect]] = {
    "slow": lambda seconds: Effect(delay_ms=seconds * 1000),
    "fail": lambda code: Effect(task_status="failed", task_code=code or 1403),
    "html": lambda _: Effect(html=True),
    "drop": lambda _: Effect(drop_connection="before"),
    "lost": lambda _: Effect(create_then_timeout="drop"),
    "timeout": lambda _: Effect(hang=True),
    "refusal": lambda _: Effect(refusal=True),
    "empty": lambda _: Effect(text=""),
    "markdown": lambda _: Effect(text="# Prompt\n\n- **Subject:** the product\n- **Light:** soft"),
    "length": lambda _: Effect(finish_reason="length"),
    "nsfw": lambda _: Effect(nsfw=True),
    "expired": lambda _: Effect(output_status=404),
}
BY_PROVIDER: dict[tuple[str, str], Callable[[int], Effect]] = {
    ("xai", "moderated"): lambda _: Effect(
        status=403, error_text="Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_DATA_LEAKAGE"
    ),
    ("xai", "fail"): lambda _: Effect(),
    ("wavespeed", "slow"): lambda seconds: Effect(task_delay_ms=seconds * 1000),
    ("wavespeed", "moderated"): lambda _: Effect(task_status="failed", task_code=1200),
    ("xai", "credits"): lambda _: Effect(
        status=429,
        error_text="Your team 00000000-0000-0000-0000-000000000000 has either used all available credits or reached "
        "its monthly spending limit. To continue making API requests, please purchase more credits or raise your "
        "spending limit.",
    ),
    ("wavespeed", "credits"): lambda _: Effect(status=400, error_text="Insufficient credits. Please top up."),
}


class Magic:
    """Remembers how often a prompt with a counted word (`sim-429x2`) was seen."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def clear(self) -> None:
        self._seen.clear()

    def take(self, *, provider: str, subject: Subject) -> Effect | None:
        """The effect of the first magic word of a paid call, None when there is none or it is used up."""
        found = WORD.search(f"{subject.model} {subject.prompt}") if subject.is_purchase else None
        if found is None or self._is_used_up(provider, subject, found):
            return None
        name, number = found["name"].lower(), int(found["number"] or 0)
        if name.isdigit():
            return Effect(status=int(name))
        make = BY_PROVIDER.get((provider, name)) or EFFECTS.get(name)
        return make(number) if make else None

    def _is_used_up(self, provider: str, subject: Subject, found: re.Match[str]) -> bool:
        if found["times"] is None:
            return False
        key = hashlib.sha256(f"{provider}{subject.model}{subject.prompt}".encode()).hexdigest()
        self._seen[key] += 1
        return self._seen[key] > int(found["times"])
