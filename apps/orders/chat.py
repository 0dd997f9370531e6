"""One question to a language model, answered now: a paid call whose words are told while they arrive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from apps.jobs.handlers import Run
from apps.orders.draft import Draft
from apps.orders.paid import Answered, paid
from apps.orders.quotes import Price
from apps.orders.settling import settle
from apps.providers import calls
from apps.providers.chat import client_of, shortcoming, shortcoming_of
from apps.providers.errors import TransientNetwork
from apps.providers.models import Call, CallState
from apps.providers.types import ChatAnswer, ChatRequest


@dataclass(frozen=True)
class PaidAnswer:
    """A usable answer that is in the ledger already. USD."""

    text: str
    model_asked: str
    model_answered: str
    cost_usd: Decimal | None


def ask(
    run: Run,
    request: ChatRequest,
    *,
    provider: str,
    inputs: Mapping[str, Any],
    price: Price,
    seconds: float,
    longest_told: int,
) -> ChatAnswer:
    """The whole answer, with what it cost. `inputs` are what the ledger keeps; `longest_told` is in characters.

    Raises what `paid` raises, the provider's errors, and the shortcoming of an answer that came and cannot be used.
    """
    with paid(
        run,
        provider=provider,
        purpose="chat",
        model=request.model,
        inputs=inputs,
        price=price,
        seconds=seconds,
    ) as order:
        pieces = client_of(provider).chat_stream(request, seconds=order.seconds)
        answer = Draft.of(run.lease, longest=longest_told).follow(pieces)
        if answer is None:  # a stream that ends in the middle is an error, never a shorter answer
            raise TransientNetwork(provider, detail="The stream ended without an answer.", sent=None)
        order.outcome = Answered(
            result={"text": answer.text, "refusal": answer.refusal, "finish_reason": answer.finish_reason},
            model_answered=answer.model,
            usage=dict(answer.usage.raw),
            cost_usd=answer.cost_usd,
            cost_source=answer.cost_source,
            provider_id=answer.id,
            http_status=answer.http_status,
        )
    # What the ledger says: the estimate where the answer named no cost.
    answer = replace(answer, cost_usd=order.call.cost_usd, cost_source=order.call.cost_source)
    lacking = shortcoming(provider, answer)
    if lacking:
        raise lacking
    return answer


def paid_answers(job_id: int) -> Iterator[PaidAnswer]:
    """What earlier attempts of a job paid for and had no time to store, oldest first.

    Calls whose worker died before the answer came are flagged as unknown first, so that they may be sent once more.
    """
    for call in calls.open_calls(job_id):
        settle(call)
    succeeded = Call.objects.filter(job_id=job_id, purpose="chat", state=CallState.SUCCEEDED).order_by("created_at")
    for call in succeeded:
        kept = {name: str((call.result or {}).get(name) or "") for name in ("text", "refusal", "finish_reason")}
        if not shortcoming_of(call.provider, **kept, cost_usd=call.cost_usd):
            yield PaidAnswer(kept["text"], call.model_asked, call.model_answered, call.cost_usd)
