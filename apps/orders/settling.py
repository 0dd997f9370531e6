"""A request left and nobody knows what became of it: what is done then, by provider and purpose.

LOOK_UP          the provider lists its tasks: found, it is ours; surely absent, another may be sent; else a person
SEND_ONCE_MORE   cheap and not to be looked up: another is sent, and the first flagged as a possible double charge
ASK_A_PERSON     neither: nothing is sent while it may have been taken
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.conf import settings

from apps.core.clock import database_now
from apps.jobs.handlers import GiveUp
from apps.jobs.values import Failure
from apps.providers import calls
from apps.providers.errors import OutcomeUnknown, ProviderError
from apps.providers.models import Call, CallState
from apps.providers.registry import provider_name
from apps.providers.types import Absent, Finding, Unsure
from apps.providers.wavespeed.lookup import find_prediction


class WhenUnknown(Enum):
    LOOK_UP = "look_up"
    SEND_ONCE_MORE = "send_once_more"
    ASK_A_PERSON = "ask_a_person"


@dataclass(frozen=True)
class Policy:
    """`find` asks the provider for the call's task and adopts it: only with LOOK_UP."""

    when_unknown: WhenUnknown
    find: Callable[[Call], Finding] | None = None


POLICIES = {
    ("wavespeed", "submit"): Policy(WhenUnknown.LOOK_UP, find_prediction),
    ("xai", "chat"): Policy(WhenUnknown.SEND_ONCE_MORE),
    ("openai", "chat"): Policy(WhenUnknown.SEND_ONCE_MORE),
    ("openrouter", "chat"): Policy(WhenUnknown.SEND_ONCE_MORE),
    ("gemini", "chat"): Policy(WhenUnknown.SEND_ONCE_MORE),
    ("openai", "edit"): Policy(WhenUnknown.ASK_A_PERSON),
    ("removebg", "cut_out"): Policy(WhenUnknown.ASK_A_PERSON),
}
LEFT_OUT = Policy(WhenUnknown.ASK_A_PERSON)  # what nobody has thought about is never sent twice


def policy_of(provider: str, purpose: str) -> Policy:
    return POLICIES.get((provider, purpose), LEFT_OUT)


def looked_up() -> list[str]:
    """`provider purpose` of every call that can be looked up, as reconcile's statement compares them."""
    return [f"{provider} {purpose}" for (provider, purpose), policy in POLICIES.items() if policy.find]


def check_none_may_exist(*, job_id: int, provider: str, purpose: str) -> None:
    """Before another call of a job is sent; raises OutcomeUnknown while an earlier one stands in its way."""
    earlier = Call.objects.filter(job_id=job_id, provider=provider, purpose=purpose)
    if policy_of(provider, purpose).when_unknown is WhenUnknown.SEND_ONCE_MORE:
        if (
            earlier.filter(state=CallState.UNKNOWN).count() > 1
        ):  # a call that was sent once more and answered is not one
            name = provider_name(provider)
            raise OutcomeUnknown(provider, message=f"{name} was asked twice, and no answer came back either time.")
    elif earlier.filter(state__in=calls.OPEN, resent=False).exists():
        raise OutcomeUnknown(provider, detail="An earlier order of this job may exist.", sent=None)


def settle(call: Call) -> Finding:
    """What became of a call that was begun and not answered. Asks the provider where it can be looked up.

    Found: it is accepted now. Absent: it is lost, and another may be sent. Unsure: it stays open, and counts as its
    estimate; what cannot be looked up, or was looked for long enough, is unknown now, so that a person may settle it.
    """
    find = policy_of(call.provider, call.purpose).find
    if find is None:
        calls.unknown(call, ProviderError(call.provider, detail="Whoever waited for the answer died.", sent=None))
        return Unsure("Its answer cannot be asked for again.")
    finding = find(call)
    if isinstance(finding, Absent):
        calls.lost(call)
    elif isinstance(finding, Unsure) and not is_still_looked_for(call):
        calls.unknown(call, _not_found(call))
    return finding


def is_still_looked_for(call: Call) -> bool:
    """For this long its job waits before it leaves the call to a person."""
    return database_now() - call.created_at < timedelta(seconds=settings.UNKNOWN_GRACE_SECONDS)


def left_to_a_person(call: Call) -> GiveUp:
    """The end of its job; the call stays open until somebody says what became of it."""
    error = _not_found(call)
    calls.unknown(call, error)
    return GiveUp(Failure(error.code, error.message, error.action, error.remedy))


def _not_found(call: Call) -> OutcomeUnknown:
    return OutcomeUnknown(call.provider, detail="Not found, and not surely absent.", sent=None)
