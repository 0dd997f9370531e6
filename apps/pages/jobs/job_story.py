"""A job's events as a story: what a person wants to know first, every event on demand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.states import TURNED_AWAY, USED_UP, Reason, Status
from apps.pages.troubles import trouble
from apps.pages.words import clock, stage_words
from apps.providers.registry import provider_name
from apps.studio.states import NEEDS_PROMPT

_RESCHEDULED = {
    Reason.BACKOFF: "It is tried again later",
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

# What happens to a job that waits and is tried again, unless a person did it.
_WAITED = (Status.PROCESSING, Status.SCHEDULED, Status.QUEUED)
_STEERED = ("priority", "reordered", *_CANCELLED)


@dataclass(frozen=True)
class Beat:
    """One line of the story. `look` colours its glyph."""

    at: datetime
    glyph: str
    what: str
    more: SafeString | str = ""
    look: str = ""


def story_of(job: Job, events: Sequence[JobEvent], attempts: Sequence[Attempt]) -> list[Beat]:
    """Times that it was turned away by a held provider or a budget stand together in one line, however many there were."""
    ends = {past.number: past for past in attempts}
    turned_away = {past.number for past in attempts if past.outcome in TURNED_AWAY}
    beats: list[Beat] = []
    waited: list[JobEvent] = []
    for event in events:
        if event.attempt in turned_away and event.new in _WAITED and event.reason not in _STEERED:
            waited.append(event)
            continue
        beats += _waited(job, waited, ends)
        waited = []
        beat = _beat(job, event, ends)
        beats += [beat] if beat else []
    return beats + _waited(job, waited, ends)


def tries_before(attempts: Iterable[Attempt], number: int) -> int:
    """How many of its tries a job had used up before this one: a worker's death and a held provider use up none."""
    return sum(past.number < number and past.outcome in USED_UP for past in attempts)


def _waited(job: Job, events: Sequence[JobEvent], ends: dict[int, Attempt]) -> list[Beat]:
    """One line for all the times in a row that it was turned away."""
    asked = [event for event in events if event.new == Status.SCHEDULED]
    if not asked:
        return []
    first, last = asked[0], asked[-1]
    what = _RESCHEDULED[Reason.BUDGET] if last.reason == Reason.BUDGET else f"It waited for {provider_of(job)}"
    said = ends[last.attempt].error_message
    if len(asked) == 1:
        more = format_html("{} No try was used.", said)
    else:
        more = format_html("{} It asked {} times until {}; no try was used.", said, len(asked), clock(last.at))
    return [Beat(first.at, "held", what, more, "held")]


def _beat(job: Job, event: JobEvent, ends: dict[int, Attempt]) -> Beat | None:
    if not event.old:
        return Beat(event.at, "plus", "Created", _created(event))
    if event.old == event.new == Status.PROCESSING:
        words = stage_words(event.stage, job.provider)
        return Beat(event.at, "running", words.rstrip("."), look="running") if words else None
    tell = {
        Status.QUEUED: _queued,
        Status.PROCESSING: _started_after(tries_before(ends.values(), event.attempt)),
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


def _started_after(tries: int) -> Callable[[Job, JobEvent, Attempt | None], Beat]:
    def started(job: Job, event: JobEvent, end: Attempt | None) -> Beat:
        by = f"By {end.worker}." if end and end.worker else ""
        return Beat(event.at, "play", f"Try {tries + 1} started", by, "running")

    return started


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
    needs = event.reason == NEEDS_PROMPT
    return Beat(
        event.at,
        "you" if needs else "waiting",
        "It waits for a person" if needs else "It waits",
        "No prompt could be written." if needs else "",
        "held",
    )


def provider_of(job: Job) -> str:
    return provider_name(job.provider) if job.provider else "Pressroom"
