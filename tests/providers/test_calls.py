"""The ledger: what it refuses, and that every move is guarded."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from apps.providers import calls, errors
from apps.providers.models import Call, CallState

pytestmark = pytest.mark.django_db(transaction=True)

DROPPED = errors.TransientNetwork("wavespeed", detail="It broke off.", sent=None)
REFUSED = errors.InvalidRequest("wavespeed", detail="size must be W*H", http_status=400)


def begin(job_id: int = 1, **changes: Any) -> Call:
    facts: dict[str, Any] = {"provider": "wavespeed", "purpose": "submit", "model": "m", "inputs": {"prompt": "p"}}
    facts |= {"product": "studio", "estimate_usd": None}
    return calls.begin(job_id=job_id, attempt=1, owner_id=None, **(facts | changes))


def stored(call: Call) -> Call:
    return Call.objects.get(pk=call.pk)


def test_an_intent_is_there_before_anything_is_sent() -> None:
    call = begin()
    row = stored(call)

    assert row.state == CallState.INTENT
    assert row.sent_at is not None
    assert row.sent_at == call.sent_at


@pytest.mark.parametrize(
    "entry",
    [
        lambda call: begin(),
        lambda call: calls.accepted(call, provider_id="p"),
        lambda call: calls.adopt(call, provider_id="p"),
        lambda call: calls.unknown(call, DROPPED),
        lambda call: calls.lost(call),
    ],
    ids=["begin", "accepted", "adopt", "unknown", "lost"],
)
def test_what_must_survive_is_refused_inside_a_transaction(entry: Any) -> None:
    call = begin()
    with transaction.atomic(), pytest.raises(calls.InsideTransaction):
        entry(call)
    assert stored(call).state == CallState.INTENT


def test_a_result_goes_with_the_callers_transaction() -> None:
    call = begin()
    with transaction.atomic():
        assert calls.succeeded(call, result={"outputs": []})
        transaction.set_rollback(True)
    assert stored(call).state == CallState.INTENT


def test_a_settled_call_never_changes() -> None:
    call = begin()
    assert calls.succeeded(call, result="text", cost_usd=Decimal("0.00101155"), cost_source="reported")
    other = stored(call)

    assert not calls.failed(other, REFUSED)
    assert not calls.unknown(other, DROPPED)
    assert not calls.lost(other)
    assert not calls.accepted(other, provider_id="p")
    assert not calls.succeeded(other, result="again")
    row = stored(call)
    assert (row.state, row.result, row.error_code) == (CallState.SUCCEEDED, "text", "")
    assert row.cost_usd == Decimal("0.0010115500")


def test_an_unknown_call_that_is_found_forgets_its_error() -> None:
    call = begin()
    assert calls.unknown(call, DROPPED)
    assert (call.state, call.error_code, call.error_message) == ("unknown", "provider_unreachable", "It broke off.")
    assert calls.adopt(call, provider_id="task-1")
    assert (call.state, call.error_code, call.provider_id) == ("accepted", "", "task-1")


def test_an_accepted_call_is_never_unknown_or_lost() -> None:
    call = begin()
    calls.accepted(call, provider_id="task-1")
    assert not calls.unknown(call, DROPPED)
    assert not calls.lost(call)
    assert stored(call).state == CallState.ACCEPTED


def test_a_task_has_one_owner() -> None:
    calls.accepted(begin(), provider_id="task-1")
    second = begin()
    assert not calls.adopt(second, provider_id="task-1")
    with pytest.raises(errors.OutcomeUnknown):
        calls.accepted(second, provider_id="task-1")
    assert stored(second).state == CallState.UNKNOWN


def test_an_answer_id_seen_before_does_not_undo_the_answer() -> None:
    for _ in range(2):
        assert calls.succeeded(begin(provider="xai"), result="text", provider_id="same")
    assert sorted(Call.objects.values_list("provider_id", flat=True)) == ["", "same"]


def test_a_refusal_that_was_charged_keeps_its_cost() -> None:
    call = begin()
    calls.failed(call, errors.ContentRefused("xai", cost_usd=Decimal("0.05"), http_status=400))
    assert (call.cost_usd, call.cost_source, call.http_status) == (Decimal("0.05"), "reported", 400)


def test_costs_are_summed_exactly_and_only_where_known() -> None:
    for amount in ("0.0000000001", "0.04", "0.04"):
        calls.succeeded(begin(job_id=1), result={}, cost_usd=Decimal(amount))
    begin(job_id=2)

    assert calls.costs([1, 2, 3]) == {1: Decimal("0.0800000001")}


def test_open_calls_are_those_not_settled() -> None:
    waiting, settled, uncertain = begin(), begin(), begin()
    calls.failed(settled, REFUSED)
    calls.unknown(uncertain, DROPPED)

    assert [call.pk for call in calls.open_calls(1)] == [waiting.pk, uncertain.pk]
    assert len(calls.calls_of([1])) == 3


def test_pictures_sent_inline_are_kept_as_digests_only() -> None:
    picture = "data:image/jpeg;base64," + "A" * 1000
    call = begin(inputs={"images": [picture, "https://example.com/a.jpg"], "seed": 7})

    inline, address = stored(call).inputs["images"]
    assert inline.startswith("data:sha256,")
    assert len(inline) < 100
    assert address == "https://example.com/a.jpg"
    assert call.request_digest == begin(inputs={"seed": 7, "images": [picture, address]}).request_digest
    assert call.request_digest != begin(inputs={"seed": 8, "images": [picture, address]}).request_digest
