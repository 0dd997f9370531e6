"""What a row's run cost, and what the next one would."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.conf import settings

from apps.orders.quotes import Price
from apps.providers import calls
from apps.providers.models import Call, CallState
from apps.studio.models import Row
from apps.studio.quotes import known_price
from apps.studio.rows import RowState, references_of

NOTHING_OWED = (CallState.FAILED, CallState.LOST)  # when nobody named a price: refused, or it never arrived


def pictures_sent(row: Row) -> int:
    return len(references_of(row)) + 1


def prices_of(rows: Sequence[Row]) -> dict[int, Price]:
    """Of one image of these rows of one workspace, by how many pictures are sent for it; nobody is asked."""
    if not rows:
        return {}
    workspace = rows[0].workspace
    model, size = workspace.generation_model or settings.IMAGE_MODEL, (workspace.output_width, workspace.output_height)
    return {
        pictures: known_price(model, pictures=pictures, size=size)
        for pictures in sorted({pictures_sent(row) for row in rows})
    }


def costs_of(states: Sequence[RowState]) -> dict[int, Decimal | None]:
    """US dollars by job; None where an order may have been charged and nobody told how much."""
    ids = {job_id for state in states for job_id in (*_last_run(state), *(job.pk for job in state.prompts[-1:]))}
    untold = Call.objects.filter(job_id__in=ids, cost_usd=None).exclude(state__in=NOTHING_OWED)
    return {**calls.costs(ids), **{call.job_id: None for call in untold.only("job_id") if call.job_id}}


def cost_of(state: RowState, costs: Mapping[int, Decimal | None]) -> Decimal | None:
    """US dollars of the last run."""
    known = [costs.get(job_id, Decimal(0)) for job_id in _last_run(state)]
    return None if None in known else sum(filter(None, known), Decimal(0))


def _last_run(state: RowState) -> set[int]:
    """Its images and the prompt written for them; without images the prompt that was asked for alone."""
    if not state.jobs:
        return {job.pk for job in state.prompts[-1:]}
    prompts = {prompt for job in state.jobs if (prompt := job.image_job.prompt_job_id)}
    return {job.pk for job in state.jobs} | prompts
