"""Which models were asked for a prompt, what came of each, and what was used in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.jobs.models import Attempt
from apps.pages.jobs.job_story import tries_before
from apps.pages.words import model_name
from apps.providers.catalogue import same_model
from apps.studio.models import PromptJob

_OUTCOMES = {
    "accepted": ("done", "Its prompt was used"),
    "refusal": ("failed", "Declined"),
    "too_long": ("failed", "Too long"),
    "error": ("failed", "Failed"),
    "held": ("held", "Not asked yet"),
    "incapable": ("skipped", "Passed over"),
}
_USED = {
    PromptJob.Source.TEMPLATE: "No model wrote a usable prompt: the built-in template was used.",
    PromptJob.Source.DEFAULT: "No model wrote a usable prompt: the workspace's default was used.",
    PromptJob.Source.MANUAL: "A person typed the prompt.",
}


@dataclass(frozen=True)
class Asked:
    """One model. `redirected`: another one than was asked answered."""

    attempt: int
    model: str
    answered: str
    said: str
    look: str
    word: str
    cost: Decimal | None

    @property
    def redirected(self) -> bool:
        return bool(self.answered) and not same_model("xai", self.model, self.answered)


def asked_of(prompt_job: PromptJob, attempts: Sequence[Attempt]) -> list[Asked]:
    """In the order in which they were asked. Lines of older records may lack what was not kept then."""
    lines = []
    for past in prompt_job.tried:
        look, word = _OUTCOMES.get(past["outcome"], ("failed", "Failed"))
        cost = past.get("cost")
        lines.append(
            Asked(
                tries_before(attempts, past.get("attempt", 1)) + 1,
                past["model"],
                past["answered"],
                past["said"],
                look,
                word,
                None if cost is None else Decimal(cost),
            )
        )
    return lines


def used_of(prompt_job: PromptJob) -> str:
    asked, answered = prompt_job.model_asked, prompt_job.model_answered
    if prompt_job.reused_from_id:
        return f"Used again: {model_name(answered or asked)} wrote it for the same request before. Nothing was paid."
    if prompt_job.source != PromptJob.Source.MODEL:
        return _USED.get(PromptJob.Source(prompt_job.source), "") if prompt_job.source else ""
    if answered and not same_model("xai", asked, answered):
        return f"{model_name(asked)} was asked, and {model_name(answered)} answered in its place."
    return f"Written by {model_name(answered or asked)}."
