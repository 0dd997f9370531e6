"""The ledger: the only writer of Call. A paid request leaves only after `begin` has committed.

    intent ──► accepted ──► succeeded | failed
      │ └────────────────►  succeeded | failed      (answered at once: chat)
      └──► unknown ──► accepted (found) | lost (not there) | succeeded | failed
                       lost ──► accepted (its own answer came after all)

A settled call never changes, but for a lost one that is answered. Every move is guarded by the state it starts from;
False says that another process settled it first. Until a call is settled it counts as its estimate (see spending.py).
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from apps.core.clock import ClockTimestamp
from apps.providers import spending
from apps.providers.errors import OutcomeUnknown, ProviderError
from apps.providers.models import Call, CallState

OPEN = spending.OPEN
ZERO = Decimal(0)
INLINE_MEDIA_CHARACTERS = 500


class InsideTransaction(RuntimeError):
    """A ledger entry that could be rolled back is no record of money: commit first."""


def begin(
    *,
    job_id: int | None,
    attempt: int,
    owner_id: int | None,
    provider: str,
    purpose: str,
    model: str,
    inputs: Mapping[str, Any],
    product: str,
    estimate_usd: Decimal | None,
    sends_again: bool = False,
) -> Call:
    """Commits the intent. The request may leave as soon as this has returned.

    `estimate_usd` is what was set aside for it: it counts as that until its cost is told, or for good when it never is.
    `sends_again`: earlier ones of unknown outcome are flagged with it, as possible double charges.
    """
    _outside_transaction()
    kept = without_media(inputs)
    call = Call(
        job_id=job_id,
        attempt=attempt,
        owner_id=owner_id,
        provider=provider,
        purpose=purpose,
        product=product,
        model_asked=model,
        inputs=kept,
        request_digest=digest_of(model, kept),
        estimate_usd=estimate_usd,
        created_at=ClockTimestamp(),
        sent_at=ClockTimestamp(),
    )
    with transaction.atomic():
        if sends_again:
            unheard = Call.objects.filter(job_id=job_id, provider=provider, purpose=purpose, state=CallState.UNKNOWN)
            unheard.update(resent=True)
        call.save(force_insert=True)
        spending.settle(call.job_id, estimate_usd or ZERO)
    call.refresh_from_db(fields=["created_at", "sent_at"])
    return call


def accepted(call: Call, *, provider_id: str, http_status: int | None = 200) -> bool:
    """The provider took it and named it; so it did even if a lookup had believed it lost meanwhile.

    Raises OutcomeUnknown when a twin of this call, looking for its own task, has adopted this one meanwhile: then
    this call stays open as unknown, and its own lookup tells whether a second task exists.
    """
    _outside_transaction()
    try:
        return _accept(call, provider_id, http_status, CallState.LOST)
    except IntegrityError as error:
        conflict = OutcomeUnknown(call.provider, detail="Its task was adopted by an equal call.", sent=None)
        unknown(call, conflict)
        raise conflict from error


def adopt(call: Call, *, provider_id: str) -> bool:
    """A task found at the provider becomes this call's. False: another call was quicker, or this one is settled."""
    _outside_transaction()
    try:
        return _accept(call, provider_id, None)
    except IntegrityError:
        call.refresh_from_db()
        return False


def succeeded(
    call: Call,
    *,
    result: Any,
    model_answered: str = "",
    usage: Mapping[str, Any] | None = None,
    cost_usd: Decimal | None = None,
    cost_source: str = "",
    provider_id: str = "",
    http_status: int | None = None,
    late: bool = False,
) -> bool:
    """May run inside the caller's transaction. `late`: it came after a cancel, so it is kept and not applied.

    Without a cost, from here or known before, what was estimated is booked.
    """
    facts: dict[str, Any] = {"result": result, "model_answered": model_answered[:100], "usage": usage, "late": late}
    # An id seen before must not undo the caller's transaction: the answer is paid for and stays.
    provider_id = provider_id[:100]
    if provider_id and not Call.objects.filter(provider=call.provider, provider_id=provider_id).exists():
        facts["provider_id"] = provider_id
    return _finish(call, CallState.SUCCEEDED, cost_usd, cost_source, http_status, **facts)


def failed(call: Call, error: ProviderError, *, cost_usd: Decimal | None = None, cost_source: str = "reported") -> bool:
    """May run inside the caller's transaction. A refusal may cost something: the error's own figure is used then.

    Where it names none and is not known to be free, what was estimated is booked.
    """
    if cost_usd is None:
        cost_usd, cost_source = error.cost_usd, error.cost_source
    is_free = cost_usd is None and (error.charged is False or error.sent is False)
    return _finish(call, CallState.FAILED, cost_usd, cost_source, error.http_status, is_free=is_free, **_words(error))


def unknown(call: Call, error: ProviderError) -> bool:
    """The request may have been taken. It counts as a possible double charge, and as its estimate, until it is settled."""
    _outside_transaction()
    stated = {} if error.cost_usd is None else {"cost_usd": error.cost_usd, "cost_source": error.cost_source}
    words = _words(error)
    return _move(call, (CallState.INTENT,), state=CallState.UNKNOWN, http_status=error.http_status, **stated, **words)


def lost(call: Call) -> bool:
    """The provider said that it has no such work: nothing was charged, and it may be sent anew."""
    _outside_transaction()
    return _move(call, (CallState.INTENT, CallState.UNKNOWN), state=CallState.LOST, finished_at=ClockTimestamp())


def look_soon(call: Call) -> None:
    """There is news: reconcile asks about it at its next turn."""
    Call.objects.filter(pk=call.pk, state__in=OPEN).update(look_after=None)


def set_cost(call: Call, *, cost_usd: Decimal, cost_source: str) -> bool:
    """The price, as quoted when the task was taken."""
    return _move(call, tuple(CallState), cost_usd=cost_usd, cost_source=cost_source)


def hand_over(old_job_id: int, new_job_id: int, *, purpose: str) -> int:
    """Gives a job's open calls to the job that tries it again. A call that was sent anew on purpose stays behind."""
    open_ones = Call.objects.filter(job_id=old_job_id, purpose=purpose, state__in=OPEN, resent=False)
    return open_ones.update(job_id=new_job_id, look_after=None)


def belongs_to(call: Call, job_id: int) -> bool:
    """Whether it still does, locked until the caller's transaction ends."""
    return Call.objects.select_for_update().filter(pk=call.pk, job_id=job_id).exists()


def open_calls(job_id: int) -> list[Call]:
    """What is not settled yet, oldest first."""
    return list(Call.objects.filter(job_id=job_id, state__in=OPEN).order_by("created_at"))


def calls_of(job_ids: Iterable[int]) -> list[Call]:
    return list(Call.objects.filter(job_id__in=list(job_ids)).order_by("job_id", "created_at"))


def costs(job_ids: Iterable[int]) -> dict[int, Decimal]:
    """USD of each job that cost something; a job without a known cost is not in it."""
    priced = Call.objects.filter(job_id__in=list(job_ids), cost_usd__isnull=False)
    return dict(priced.values_list("job_id").annotate(cost=Sum("cost_usd")))


def without_media(value: Any) -> Any:
    """Values fit for the ledger: pictures sent inline are replaced by their digest, addresses stay."""
    if isinstance(value, Mapping):
        return {str(name): without_media(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_media(item) for item in value]
    if isinstance(value, str) and value.startswith("data:") and len(value) > INLINE_MEDIA_CHARACTERS:
        return f"data:sha256,{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def digest_of(model: str, inputs: Mapping[str, Any]) -> str:
    """Equal for requests that a provider cannot tell apart."""
    return hashlib.sha256(orjson.dumps([model, inputs], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _accept(call: Call, provider_id: str, http_status: int | None, *also: CallState) -> bool:
    changes: dict[str, Any] = {"state": CallState.ACCEPTED, "provider_id": provider_id, "finished_at": None}
    changes["accepted_at"] = ClockTimestamp()
    if http_status is not None:
        changes["http_status"] = http_status
    return _move(call, (CallState.INTENT, CallState.UNKNOWN, *also), error_code="", error_message="", **changes)


def _finish(
    call: Call,
    state: CallState,
    cost_usd: Decimal | None,
    cost_source: str,
    http_status: int | None,
    *,
    is_free: bool = False,
    **facts: Any,
) -> bool:
    if cost_usd is not None:
        facts |= {"cost_usd": cost_usd, "cost_source": cost_source or "reported"}
    elif not is_free:
        untold = Q(cost_usd=None, estimate_usd__isnull=False)
        facts["cost_source"] = Case(When(untold, then=Value("estimated")), default=F("cost_source"))
        facts["cost_usd"] = Coalesce(F("cost_usd"), F("estimate_usd"))
    if http_status is not None:
        facts["http_status"] = http_status
    return _move(call, OPEN, state=state, finished_at=ClockTimestamp(), **facts)


def _move(call: Call, allowed: tuple[CallState, ...], **changes: Any) -> bool:
    """The guarded UPDATE. The object in hand is made to agree with the row, whoever wrote it.

    What the call counts as changes together with what its job still holds: nobody sees the money twice, or not at all.
    """
    with transaction.atomic():
        before = Call.objects.select_for_update().filter(pk=call.pk, state__in=allowed).first()
        if before is not None:
            Call.objects.filter(pk=call.pk).update(**changes)
        call.refresh_from_db()
        if before is not None:
            spending.settle(call.job_id, spending.counted(call) - spending.counted(before))
    return before is not None


def _words(error: ProviderError) -> dict[str, str]:
    return {"error_code": error.code, "error_message": error.detail or error.message}


def _outside_transaction() -> None:
    if connection.in_atomic_block:
        raise InsideTransaction("The ledger commits at once: do not call it inside a transaction.")
