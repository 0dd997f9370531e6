"""What a row says about its prompt: who wrote it, and why the one that was asked for is not there."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self
from uuid import UUID

from apps.jobs.models import Job
from apps.pages.troubles import charged, trouble
from apps.pages.words import model_name
from apps.studio.models import PromptJob
from apps.studio.prompting.standing import Standing

_MADE_UP = {
    PromptJob.Source.TEMPLATE: "Made from the template: no prompt could be written",
    PromptJob.Source.DEFAULT: "The workspace default: no prompt could be written",
}


def author(standing: Standing, *, reused: bool = False) -> str:
    """`Written by Grok 4.7 · House v3`."""
    if standing.source in _MADE_UP:
        return _MADE_UP[PromptJob.Source(standing.source)]
    name, _, version = standing.strategy.partition("@")
    strategy = f" · {name.capitalize()} v{version}" if version else ""
    return f"Written by {model_name(standing.model or 'grok')}{strategy}{', used again at no cost' if reused else ''}"


@dataclass(frozen=True)
class PromptTrouble:
    """`job`: what to try again, and what is put away."""

    job: UUID
    said: str

    @classmethod
    def of(cls, job: Job, cost: Decimal | None) -> Self:
        asked: PromptJob | None = getattr(job, "prompt_job", None)
        enhancing = asked is not None and asked.operation == PromptJob.Operation.ENHANCE
        told = trouble(job.error_code, job.error_message, job.error_action)
        what = "The prompt was not enhanced." if enhancing else "No new prompt was written."
        return cls(job.uid, f"{what} {told.said} The text is as it was. {charged(cost)}")
