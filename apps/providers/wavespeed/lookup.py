"""Finds out what became of a submit that nobody saw answered: WaveSpeed lists the tasks of the last days.

A task is ours when its model and inputs are what we sent, it was made about when we sent it, and no other call owns it.
When it was made is told by their clock and when we sent by ours: how far theirs is ahead is read from their answers,
and while that is not known, nothing is surely absent. Equal calls that are open together are interchangeable: each
adopts any of their tasks, and the ledger's unique provider id decides races. A task without inputs in the list could
be anybody's: then we are not sure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.core.clock import database_now
from apps.providers import calls, skew
from apps.providers.errors import ProviderError
from apps.providers.models import Call, CallState
from apps.providers.types import Absent, Finding, Found, Prediction, Unsure
from apps.providers.wavespeed.client import WavespeedClient

# What is left after their clock's lead is reckoned in: errors of its reading, and the longest time a submit may be under way.
BEFORE = timedelta(seconds=120)
AFTER = timedelta(seconds=300)
SLACK = timedelta(seconds=30)  # of these that a new reading may take without a new look


def find_prediction(call: Call, *, client: WavespeedClient | None = None, seconds: float = 30) -> Finding:
    """Looks for the call's task, and adopts it. Never raises ProviderError: what cannot be asked is not sure."""
    if call.provider_id:
        return Unsure("The call has its task already: poll it.")
    sent_at = call.sent_at or call.created_at
    begin, end = _span(sent_at, skew.ahead_of("wavespeed", since=sent_at))
    # The age before the list: what is not in it must have had the grace to get in.
    old_enough = database_now() - sent_at >= timedelta(seconds=settings.LOOKUP_GRACE_SECONDS)
    try:
        listed = (client or WavespeedClient.from_settings()).find(
            model=call.model_asked, created_after=begin, created_before=end, seconds=seconds
        )
    except ProviderError as error:
        return Unsure(f"WaveSpeed's list of tasks could not be read. {error.message}")
    unowned = _unowned(listed)
    candidates = [task for task in unowned if fits(task.inputs, call.inputs)]
    if candidates:
        return _adopt_one(call, candidates)
    if any(not task.inputs for task in unowned):
        return Unsure("WaveSpeed lists tasks of that time without their inputs.")
    if not old_enough:
        return Unsure("It was sent too recently to be missed.")
    # Asked again: the list itself told the time, and may have shown that their clock is not where it was believed.
    ahead = skew.ahead_of("wavespeed", since=sent_at)
    if ahead is None or not ahead.was_known_at(sent_at):
        return Unsure("How far WaveSpeed's clock is from ours is not known since before this was sent.")
    needed_begin, needed_end = _span(sent_at, ahead)
    if needed_begin < begin - SLACK or needed_end > end + SLACK:
        return Unsure("WaveSpeed's clock is not where it was: look again.")
    return Absent()


def _span(sent_at: datetime, ahead: skew.Ahead | None) -> tuple[datetime, datetime]:
    """From when to when, by their clock, a task that we sent then may have been made."""
    least, most = (ahead.least, ahead.most) if ahead else (0.0, 0.0)
    return sent_at + timedelta(seconds=least) - BEFORE, sent_at + timedelta(seconds=most) + AFTER


def fits(listed: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether everything we sent is there, unchanged. What they add (defaults) does not count."""
    theirs = calls.without_media(listed)
    return bool(sent) and all(name in theirs and theirs[name] == value for name, value in sent.items())


def _unowned(listed: list[Prediction]) -> list[Prediction]:
    owned = Call.objects.filter(provider="wavespeed", provider_id__in=[task.id for task in listed])
    taken = set(owned.values_list("provider_id", flat=True))
    return [task for task in listed if task.id not in taken]


def _adopt_one(call: Call, candidates: list[Prediction]) -> Finding:
    if len(candidates) > _open_twins(call):
        return Unsure(f"{len(candidates)} tasks fit, and we sent fewer: one may be somebody else's.")
    for task in sorted(candidates, key=lambda task: (task.created_at is None, task.created_at, task.id)):
        if calls.adopt(call, provider_id=task.id):
            return Found(task)
        if call.state not in {CallState.INTENT, CallState.UNKNOWN}:
            return Unsure("The call was settled meanwhile.")
    return Unsure("Equal calls were quicker: look again.")


def _open_twins(call: Call) -> int:
    """How many calls wait for a task like this one, itself among them."""
    return Call.objects.filter(
        provider="wavespeed",
        request_digest=call.request_digest,
        provider_id="",
        state__in=[CallState.INTENT, CallState.UNKNOWN],
    ).count()
