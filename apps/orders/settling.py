"""A request left and nobody knows what became of it: what is done then, by provider and purpose.

LOOK_UP          the provider lists its tasks: found, it is ours; surely absent, another may be sent; else a person
SEND_ONCE_MORE   cheap and not to be looked up: another is sent, and the first flagged as a possible double charge
ASK_A_PERSON     neither: nothing is sent while it may have been taken
"""

from enum import Enum

from apps.providers.errors import OutcomeUnknown
from apps.providers.models import Call, CallState
from apps.providers.registry import provider_name


class WhenUnknown(Enum):
    LOOK_UP = "look_up"
    SEND_ONCE_MORE = "send_once_more"
    ASK_A_PERSON = "ask_a_person"


POLICIES = {
    ("wavespeed", "submit"): WhenUnknown.LOOK_UP,
    ("xai", "chat"): WhenUnknown.SEND_ONCE_MORE,
}
MAY_EXIST = (CallState.INTENT, CallState.ACCEPTED, CallState.UNKNOWN)


def policy_of(provider: str, purpose: str) -> WhenUnknown:
    """What nobody has thought about is never sent twice."""
    return POLICIES.get((provider, purpose), WhenUnknown.ASK_A_PERSON)


def check_none_may_exist(*, job_id: int, provider: str, purpose: str) -> None:
    """Before another call of a job is sent; raises OutcomeUnknown while an earlier one stands in its way."""
    earlier = Call.objects.filter(job_id=job_id, provider=provider, purpose=purpose)
    if policy_of(provider, purpose) is WhenUnknown.SEND_ONCE_MORE:
        if earlier.filter(state=CallState.UNKNOWN, resent=True).exists():
            name = provider_name(provider)
            raise OutcomeUnknown(provider, message=f"{name} was asked twice, and no answer came back either time.")
    elif earlier.filter(state__in=MAY_EXIST, resent=False).exists():
        raise OutcomeUnknown(provider, detail="An earlier order of this job may exist.", sent=None)
