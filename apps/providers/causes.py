"""Why a provider is not called at the moment, told to those who wait and to those who can act.

A cause is the code of the error that opened a breaker or set a hold, or one of our own limits below.
"""

from dataclasses import dataclass

from apps.providers.registry import PROVIDERS, provider_name

REQUESTS_A_MINUTE = "requests_a_minute"
CALLS_AT_ONCE = "calls_at_once"
ASKED_TO_WAIT = "asked_to_wait"
NOTHING_TO_DO = "Nothing to do: it goes on by itself and loses no try."


@dataclass(frozen=True)
class Cause:
    """`said`: what happened. `yours`: what whoever waits should know or do. `desk`: what whoever runs the desk should do."""

    said: str
    yours: str
    desk: str


_CAUSES = {
    "no_credits": Cause(
        "{provider} has no credits left.",
        "Whoever runs this desk must top up; what is queued waits, and nothing is lost.",
        "Buy credits at {provider}.",
    ),
    "provider_key_refused": Cause(
        "{provider} does not accept this desk's key.",
        "Whoever runs this desk must correct it; what is queued waits, and nothing is lost.",
        "Correct {key} and restart, or allow the key at {provider}.",
    ),
    "quota_exhausted": Cause(
        "This desk's allowance at {provider} is used up for now.",
        "It renews by itself, or whoever runs this desk raises it; what is queued waits, and nothing is lost.",
        "Wait until it renews, or raise it at {provider}.",
    ),
    "provider_overloaded": Cause(
        "{provider} is overloaded or broken: too many of the last calls ended in its own errors.",
        NOTHING_TO_DO,
        "Look at {provider}'s status page if it lasts.",
    ),
    "provider_unreachable": Cause(
        "{provider} does not answer: too many of the last calls got no answer in time.",
        f"{NOTHING_TO_DO} If it lasts, tell whoever runs this desk.",
        "Check this machine's network, and {provider}'s status page.",
    ),
    "outcome_unknown": Cause(
        "{provider} does not answer: too many of the last orders were sent and never answered.",
        f"{NOTHING_TO_DO} If it lasts, tell whoever runs this desk.",
        "Check this machine's network, and {provider}'s status page.",
    ),
    "provider_answer_unreadable": Cause(
        "{provider} sends answers that cannot be read.",
        f"{NOTHING_TO_DO} If it lasts, tell whoever runs this desk.",
        "Look at the last calls in the admin, and at {provider}'s status page.",
    ),
    "rate_limited": Cause(
        "{provider} asked us to slow down.",
        NOTHING_TO_DO,
        "If it happens often, lower this desk's limits for {provider}, or raise the account's there.",
    ),
    ASKED_TO_WAIT: Cause(
        "{provider} is busy and asked us to come back later.",
        NOTHING_TO_DO,
        "Look at {provider}'s status page if it lasts.",
    ),
    REQUESTS_A_MINUTE: Cause(
        "This desk has sent {provider} as many requests as it may in a minute.",
        NOTHING_TO_DO,
        "Raise the limit of requests a minute in the settings when {provider} allows more.",
    ),
    CALLS_AT_ONCE: Cause(
        "{provider} works on as many calls of this desk as it may at once.",
        NOTHING_TO_DO,
        "Raise the limit of calls at once in the settings when {provider} allows more.",
    ),
}
_OTHER = Cause("{provider} is not called for the moment.", NOTHING_TO_DO, "Look at the last calls in the admin.")


def cause_of(code: str, provider: str) -> Cause:
    """With the provider's name in the words; of a code that is not known, general ones."""
    name = provider_name(provider) if provider else "The provider"
    key = PROVIDERS[provider].key_setting if provider in PROVIDERS else "its key"
    known = _CAUSES.get(code, _OTHER)
    return Cause(*(words.format(provider=name, key=key) for words in (known.said, known.yours, known.desk)))
