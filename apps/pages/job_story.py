"""A job's events as a story: what a person wants to know first, every event on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.states import Reason, Status
from apps.pages.troubles import trouble
from apps.pages.words import stage_words
from apps.providers.registry import provider_name

_RESCHEDULED = {
    Reason.BACKOFF: "It is tried again later",
    Reason.RATE_LIMITED: "It waits: the provider asked us to slow down",
    Reason.BREAKER_OPEN: "It waits: the provider fails too often",
    Reason.BUDGET: "It waits: the budget is used",
    Reason.SCHEDULED: "It waits for its time",
}
_QUEUED = {
    "crashed": ("failed", "failed", "The worker died", "Another one takes the job; no try is lost."),
    "dependency": ("", "queued", "Its prompt is there", "It joined the queue."),
    "prompt_typed": ("", "queued", "A person typed the prompt", "It joined the queue."),
    "prompt_made_up": ("", "queued", "A prompt was made up", "By the workspace's rule for prompts that fail."),
    "priority": ("", "sort", "Its priority was changed", ""),
    "reordered": ("", "sort", "It was moved in the queue", ""),
    "interrupted": ("held", "held", "The worker was stopped", "It joined the queue again and lost no try."),
}
_CANCELLED = {
    "cancelled_by_owner": "By its owner.",
    "cancelled_by_staff": "By staff.",
    "row_deleted": "Its row was deleted.",
    "dependency": "The job it waited for was cancelled.",
}


@dataclass(frozen=True)
class Beat:
    """One line of the story. `look` colours its glyph."""

    at: datetime
    glyph: str
    what: str
    more: str = ""
    look: str = ""


def story_of(job: Job, events: Sequence[JobEvent], attempts: Sequence[Attempt]) -> list[Beat]:
    ends = {past.number: past for past in attempts}
    beats = [_beat(job, event, ends) for event in events]
    return [beat for beat in beats if beat is not None]


def _beat(job: Job, event: JobEvent, ends: dict[int, Attempt]) -> Beat | None:
    if not event.old:
        return Beat(event.at, "plus", "Created", _created(event))
    if event.old == event.new == Status.PROCESSING:
        words = stage_words(event.stage, job.provider)
        return Beat(event.at, "running", words.rstrip("."), look="running") if words else None
    tell = {
        Status.QUEUED: _queued,
        Status.PROCESSING: _started,
        Status.SCHEDULED: _rescheduled,
        Status.COMPLETED: _completed,
        Status.FAILED: _failed,
        Status.CANCELLED: _was_cancelled,
        Status.WAITING: _waits,
    }.get(Status(event.new))
    return tell(job, event, ends.get(event.attempt)) if tell else None


def _created(event: JobEvent) -> str:
    return {
        Status.WAITING: "It waits for its prompt.",
        Status.SCHEDULED: "It waits for its time.",
    }.get(Status(event.new), "It joined the queue.")


def _queued(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    look, glyph, what, more = _QUEUED.get(event.reason, ("", "queued", "It joined the queue", ""))
    return Beat(event.at, glyph, what, more, look)


def _started(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    return Beat(
        event.at, "play", f"Try {event.attempt} started", f"By {end.worker}." if end and end.worker else "", "running"
    )


def _rescheduled(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    more = end.error_message if end else ""
    return Beat(
        event.at,
        "held",
        _RESCHEDULED.get(Reason(event.reason), "It waits") if event.reason in Reason.values else "It waits",
        more,
        "held",
    )


def _completed(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    return Beat(event.at, "done", "Finished", "", "done")


def _failed(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    told = trouble(job.error_code, job.error_message, job.error_action)
    return Beat(event.at, "failed", "Failed", f"{told.said} {told.todo}".strip(), "failed")


def _was_cancelled(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    return Beat(event.at, "cancelled", "Cancelled", _CANCELLED.get(event.reason, ""))


def _waits(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
    needs = event.reason == Reason.NEEDS_PROMPT
    return Beat(
        event.at,
        "you" if needs else "waiting",
        "It waits for a person" if needs else "It waits",
        "No prompt could be written." if needs else "",
        "held",
    )


def provider_of(job: Job) -> str:
    return provider_name(job.provider) if job.provider else "Pressroom"
