"""Pictures made now: edits and cut-outs, whose files come with the answer.

Unlike a task's result they are nowhere else: each is kept before the ledger says that it came. Whoever pays for one says how
(`Keep`): by its content, so that keeping it twice is harmless.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog

from apps.assets.storage import PROBLEMS as STORAGE_PROBLEMS
from apps.core.errors import Problem
from apps.jobs.handlers import Run
from apps.orders.paid import Answered, paid
from apps.orders.quotes import Price
from apps.orders.settling import settle
from apps.providers import calls, pricing
from apps.providers.models import Call, CallState
from apps.providers.openai import images
from apps.providers.openai.client import OpenAIClient
from apps.providers.removebg.client import RemoveBgClient
from apps.providers.types import EditRequest

log = structlog.get_logger(__name__)

EDIT, CUT_OUT = "edit", "cut_out"
EDIT_SECONDS, CUT_OUT_SECONDS = 300.0, 60.0
STORAGE_PAUSE_SECONDS = 1.0

Keep = Callable[[bytes, str], str]
"""Stores a file (bytes, media type) and answers the name under which it is found again."""


@dataclass(frozen=True)
class Made:
    """Files of an answer that is in the ledger already, by the names under which they were kept. USD."""

    files: tuple[str, ...]
    model: str
    cost_usd: Decimal | None


def price_of_edit(request: EditRequest) -> Price:
    """The most that it can cost; its tokens are only counted afterwards."""
    amount = images.at_most(request)
    return Price(amount, "none" if amount is None else "at_most")


def price_of_cut_out(size: str = "full") -> Price:
    amount = pricing.for_output("removebg", size)
    return Price(amount, "none" if amount is None else "priced")


def edit(run: Run, request: EditRequest, *, inputs: Mapping[str, Any], keep: Keep) -> Made:
    """Pictures made from others. `inputs` are what the ledger keeps. Raises what `paid` raises, and the provider's errors."""
    with paid(
        run,
        provider="openai",
        purpose=EDIT,
        model=request.model,
        inputs=inputs,
        price=price_of_edit(request),
        seconds=EDIT_SECONDS,
    ) as order:
        client = OpenAIClient.from_settings()
        answer = client.edit(request, seconds=order.seconds, leaves_by=order.leaves_by)
        files = tuple(_kept(keep, run, picture, answer.content_type) for picture in answer.pictures)
        order.outcome = Answered(
            result={"files": list(files)},
            model_answered=request.model,
            usage=dict(answer.usage),
            cost_usd=answer.cost_usd,
            cost_source=answer.cost_source,
            provider_id=answer.id,
            http_status=answer.http_status,
        )
    return Made(files, request.model, order.call.cost_usd)


def cut_out(
    run: Run, photo: bytes, *, name: str, content_type: str, size: str = "full", inputs: Mapping[str, Any], keep: Keep
) -> Made:
    """What stands in front of a photograph, as a PNG with alpha. `size`: full or preview. Otherwise as `edit`."""
    with paid(
        run,
        provider="removebg",
        purpose=CUT_OUT,
        model=size,
        inputs=inputs,
        price=price_of_cut_out(size),
        seconds=CUT_OUT_SECONDS,
    ) as order:
        answer = RemoveBgClient.from_settings().cut_out(
            photo,
            name=name,
            content_type=content_type,
            size=size,
            seconds=order.seconds,
            leaves_by=order.leaves_by,
        )
        file = _kept(keep, run, answer.png, "image/png")
        order.outcome = Answered(
            result={"files": [file], "found": answer.found},
            model_answered=size,
            cost_usd=answer.cost_usd,
            cost_source=answer.cost_source,
            http_status=answer.http_status,
        )
    return Made((file,), size, order.call.cost_usd)


def made_before(job_id: int, *, purpose: str) -> Iterator[Made]:
    """What earlier attempts of a job paid for and had no time to use, oldest first.

    A call whose worker died before its answer was kept is unknown from now on: none is sent for it, a person settles it.
    """
    for call in calls.open_calls(job_id):
        if call.purpose == purpose:
            settle(call)
    succeeded = Call.objects.filter(job_id=job_id, purpose=purpose, state=CallState.SUCCEEDED)
    for call in succeeded.order_by("created_at"):
        files = (call.result or {}).get("files") or []
        yield Made(tuple(map(str, files)), call.model_answered, call.cost_usd)


def _kept(keep: Keep, run: Run, data: bytes, content_type: str) -> str:
    """Where there is no room just now, it is waited for as long as the attempt lasts: the picture is paid for."""
    while True:
        try:
            return keep(data, content_type)
        except Problem as problem:
            if problem.code not in STORAGE_PROBLEMS or run.remaining < STORAGE_PAUSE_SECONDS:
                raise
            log.error("picture_not_kept_yet", code=problem.code)
            time.sleep(STORAGE_PAUSE_SECONDS)
