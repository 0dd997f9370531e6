"""The ordered models that may write a prompt, each with what it is for."""

from dataclasses import dataclass

from django.conf import settings

ERROR, REFUSAL, TOO_LONG = "error", "refusal", "too_long"
FAILURES = frozenset({ERROR, REFUSAL, TOO_LONG})


@dataclass(frozen=True)
class Entry:
    """`after`: the kinds of failure of the models before it after which this one is asked."""

    model: str
    after: frozenset[str]

    def steps_in_for(self, failure: str) -> bool:
        return failure in self.after


def chain() -> list[Entry]:
    """From the setting PRESSROOM_PROMPT_MODELS: `model[:failure|failure…]`; without failures: any error, no refusal."""
    return [_entry(text) for text in settings.PROMPT_MODELS]


def _entry(text: str) -> Entry:
    model, _, failures = text.partition(":")
    after = frozenset(failure.strip() for failure in failures.split("|") if failure.strip()) or frozenset(
        {ERROR, TOO_LONG}
    )
    unknown = after - FAILURES
    if unknown:
        raise ValueError(f"{text!r}: {', '.join(sorted(unknown))} is not one of {', '.join(sorted(FAILURES))}.")
    return Entry(model.strip(), after)
