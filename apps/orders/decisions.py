"""A person's word on a paid call whose outcome nobody knows."""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.core.errors import Problem, invalid, not_found
from apps.jobs.models import Job
from apps.jobs.services import retry_job
from apps.orders.settling import policy_of
from apps.providers import calls
from apps.providers.errors import ProviderError, ResultLost
from apps.providers.models import Call, CallState
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.providers.wavespeed.lookup import fits

Decision = Literal["adopt", "never_arrived", "send_again"]
DECISIONS: tuple[str, ...] = get_args(Decision)
SETTLE = "providers.change_call"  # the permission to say what nobody at the provider has said


@dataclass(frozen=True)
class Settled:
    """The call as it is now, and the new job when it is sent again."""

    call: Call
    job: Job | None = None


def settle_call(
    *, user: User, call_id: UUID, decision: str, prediction_id: str = "", everybody: bool = False
) -> Settled:
    """What a person decides about a call whose outcome is unknown, after its job has given up on it.

    Until then it counts as its estimate. Its owner may adopt a task; the other two are the word of whoever runs the desk.
    adopt: this task of WaveSpeed's is it; its result is fetched and kept beside the job, marked late.
    never_arrived: there is no such task; nothing was charged. send_again: a new job, at the risk of paying twice.
    `everybody`: also a call of somebody else's, for whoever may settle.
    Problems: 403 may_not_settle; 404; 409 not_unknown, still_looking, already_owned, already_retried; 422 for a task that cannot be it.
    """
    if decision not in DECISIONS:
        raise invalid("decision", f"{decision!r} is no decision.", f"Use one of {', '.join(DECISIONS)}.")
    call = _find(user, call_id, everybody=everybody)
    _only_unknown(call)
    if decision != "adopt" and not user.has_perm(SETTLE):
        raise Problem(
            403,
            "may_not_settle",
            "Only whoever runs this desk may say that an order never arrived, or send it again at the risk of paying twice.",
            "Retry the job, which looks for the order once more; name its task with adopt; or ask whoever runs this desk.",
        )
    if decision == "adopt":
        return _adopt(call, prediction_id.strip())
    if decision == "never_arrived":
        if not calls.lost(call):
            raise _not_unknown(call)
        return Settled(call)
    with transaction.atomic():  # marked first: an order that is only unknown would go with the retry
        Call.objects.filter(pk=call.pk).update(resent=True)
        job = retry_job(user=user, uid=Job.objects.get(pk=call.job_id or 0).uid, everybody=everybody)
    call.refresh_from_db()
    return Settled(call, job)


def _find(user: User, call_id: UUID, *, everybody: bool) -> Call:
    owned = {} if everybody else {"owner": user}
    call = Call.objects.filter(pk=call_id, **owned).first()
    if call is None:
        raise not_found("call")
    return call


def _only_unknown(call: Call) -> None:
    if call.state != CallState.UNKNOWN or call.resent:
        raise _not_unknown(call)
    if Job.objects.live().filter(pk=call.job_id or 0).exists():
        raise Problem(
            409,
            "still_looking",
            "Its job is still looking for this order by itself.",
            "Wait until the job has ended; that takes a few minutes at most.",
        )


def _not_unknown(call: Call) -> Problem:
    shown = "sent again" if call.resent else call.get_state_display()
    return Problem(409, "not_unknown", f"This call is settled: {shown}.", "Nothing to do.", {"callState": call.state})


def _adopt(call: Call, prediction_id: str) -> Settled:
    prediction = _task(call, prediction_id)
    if prediction.model and prediction.model != call.model_asked:
        raise invalid(
            "predictionId",
            f"That task was made by {prediction.model}, and this call asked {call.model_asked}.",
            "Look for another one in WaveSpeed's list.",
        )
    if prediction.inputs and not fits(prediction.inputs, call.inputs):
        raise invalid(
            "predictionId",
            "That task was given other pictures or another prompt.",
            "Look for another one in WaveSpeed's list.",
        )
    if not calls.adopt(call, provider_id=prediction.id):
        raise Problem(409, "already_owned", "That task belongs to another call.", "Look for another one.")
    calls.look_soon(call)
    return Settled(call)


def _task(call: Call, prediction_id: str) -> Prediction:
    if not prediction_id or policy_of(call.provider, call.purpose).find is None:
        raise invalid("predictionId", "Only an order of an image has a task.", "Give the task's id from WaveSpeed.")
    try:
        return WavespeedClient.from_settings().prediction(prediction_id, seconds=10)
    except ResultLost as error:
        raise invalid("predictionId", "WaveSpeed knows no such task.", "Copy its id from WaveSpeed's list.") from error
    except ProviderError as error:
        raise Problem(503, error.code, error.message, "Try again in a minute.") from error
