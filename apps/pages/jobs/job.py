"""`/jobs/{uid}`: one job: a sentence, where the time went, calls and cost, the story."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.errors import Remedy
from apps.desk.estimates import Outlook, describe
from apps.jobs.models import Attempt, Job, JobEvent
from apps.jobs.services import find_job
from apps.jobs.states import LIVE, PENDING, TURNED_AWAY, Status
from apps.listings.models import ImageOrder, ImageType, ListingImage, Project
from apps.pages.jobs.asked import asked_of, used_of
from apps.pages.jobs.job_story import story_of, tries_before
from apps.pages.jobs.job_time import chart_of, spoken, steps_of
from apps.pages.jobs.queue_words import job_name
from apps.pages.shell import page, reader
from apps.pages.studio.results import image_views
from apps.pages.studio.row_index import number_of
from apps.pages.troubles import trouble
from apps.pages.words import Line, count, duration, money, stage_words, waiting
from apps.providers import calls
from apps.providers.models import Call, CallState
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row
from apps.studio.remedies import remedy_of

LOOKS = {
    Status.COMPLETED: ("done", "Done"),
    Status.FAILED: ("failed", "Failed"),
    Status.CANCELLED: ("cancelled", "Cancelled"),
    Status.SKIPPED: ("skipped", "Skipped"),
    Status.PROCESSING: ("running", "Running"),
}
CALLS = {
    CallState.INTENT: ("running", "Being sent"),
    CallState.ACCEPTED: ("running", "Accepted"),
    CallState.SUCCEEDED: ("done", "Answered"),
    CallState.FAILED: ("failed", "Failed"),
    CallState.UNKNOWN: ("held", "Not known"),
    CallState.LOST: ("cancelled", "Never arrived"),
}


_MADE = {
    "prompt": "The prompt was written",
    "pack": "The pack was made",
    "cutout": "The product was cut out",
    "aplus": "The A+ page was written",
}

# Of a call whose job is over: nobody waits at the page for it any more, but its money is followed to the end.
LEFT_OPEN = {
    CallState.INTENT: ("held", "Sent, not answered"),
    CallState.ACCEPTED: ("held", "Ordered, not fetched"),
}


@dataclass(frozen=True)
class CallView:
    """`number` is the try's as people count them; `over`: its job is."""

    call: Call
    number: int = 1
    over: bool = False

    @property
    def _shown(self) -> tuple[str, str]:
        state = CallState(self.call.state)
        return LEFT_OPEN.get(state, CALLS[state]) if self.over else CALLS[state]

    @property
    def look(self) -> str:
        return self._shown[0]

    @property
    def word(self) -> str:
        return self._shown[1]

    @property
    def left_open(self) -> bool:
        """An order that may still be fetched (an answer in words cannot be asked for again)."""
        return self.over and self.call.purpose == "submit" and self.call.state in LEFT_OPEN

    @property
    def seconds(self) -> float | None:
        start, end = self.call.sent_at or self.call.created_at, self.call.finished_at
        return (end - start).total_seconds() if end else None


@dataclass(frozen=True)
class Facts:
    """Everything about one job that its page shows, read in a constant number of queries."""

    job: Job
    attempts: list[Attempt]
    events: list[JobEvent]
    calls: list[Call]
    outlook: Outlook
    row: Row | None
    prompt: PromptJob | None
    detail: ImageJob | None
    project: Project | None = None
    order: ImageOrder | None = None

    @property
    def cost(self) -> Decimal | None:
        known = [call.cost_usd for call in self.calls if call.cost_usd is not None]
        return sum(known, Decimal(0)) if known else None


@page
def job(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = reader(request)
    shown = find_job(user=user, uid=uid, everybody=user.is_staff)  # to staff it is a page of the desk, and read-only
    facts = facts_of(shown)
    look, word = _badge(facts)
    steps = steps_of(shown, facts.attempts, facts.calls)
    context = {
        "job": shown,
        "facts": facts,
        "title": _title(facts),
        "number": number_of(facts.row) if facts.row else None,
        "look": look,
        "word": word,
        "sentence": sentence(facts),
        "live": shown.status in LIVE,
        "own": shown.owner_id == user.pk,
        "retry_helps": remedy_of(shown) == Remedy.RETRY or shown.status == Status.CANCELLED,
        "can_retry": shown.status in (Status.FAILED, Status.CANCELLED) and bool(facts.row or facts.project),
        "lasted": _lasted(facts),
        "tries": tries_of(shown, facts.attempts),
        "turned_away": sum(past.outcome in TURNED_AWAY for past in facts.attempts),
        "most_tries": shown.max_retries + 1,
        "steps": steps,
        "wide": chart_of(steps, width=860, label=220, notes=True),
        "narrow": chart_of(steps, width=358, label=150, notes=False),
        "spoken": spoken(steps),
        "calls": [
            CallView(call, tries_before(facts.attempts, call.attempt) + 1, over=shown.finished_at is not None)
            for call in facts.calls
        ],
        "asked": asked_of(facts.prompt, facts.attempts) if facts.prompt else [],
        "used": used_of(facts.prompt) if facts.prompt else "",
        "story": story_of(shown, facts.events, facts.attempts),
        "images": image_views(GeneratedImage.objects.filter(job=shown)),
        "listing_images": ListingImage.objects.filter(job=shown),
    }
    return render(request, "jobs/job.html", context)


def facts_of(shown: Job) -> Facts:
    prompt = PromptJob.objects.filter(job=shown).select_related("row__workspace", "reused_from__job").first()
    detail = ImageJob.objects.filter(job=shown).select_related("row__workspace", "prompt_job__job").first()
    side = prompt or detail
    order = ImageOrder.objects.filter(job=shown).first()
    attempts = list(Attempt.objects.filter(job=shown).order_by("number"))
    shown.last_error = attempts[-1].error_message if attempts else ""  # type: ignore[attr-defined]
    return Facts(
        job=shown,
        attempts=attempts,
        events=list(JobEvent.objects.filter(job=shown).order_by("id")[:500]),
        calls=list(calls.calls_of([shown.pk])),
        outlook=describe([shown]).get(shown.pk, Outlook()),
        row=side.row if side else None,
        prompt=prompt,
        detail=detail,
        project=project_of(shown),
        order=order,
    )


def project_of(job: Job) -> Project | None:
    """The product that a job of Listings works for."""
    name, _, project_id = job.subject.partition(":")
    return Project.objects.filter(pk=project_id).first() if name == "project" else None


def tries_of(job: Job, attempts: list[Attempt]) -> int:
    """How many of its tries it has used, with the one that runs; at least one when anybody ever worked on it in earnest."""
    used = tries_before(attempts, job.attempt + 1) + (job.status == Status.PROCESSING)
    return max(used, int(any(past.outcome not in TURNED_AWAY for past in attempts)))


def _title(facts: Facts) -> str:
    kind = {"prompt": "Prompt", "image": "Image"}.get(facts.job.kind, facts.job.kind.capitalize())
    if facts.project:
        what = ImageType(facts.order.image_type).label if facts.order else job_name(facts.job.kind)
        return f"{what} of {facts.project.name}"
    return f"{kind} for row {number_of(facts.row)}" if facts.row else kind


def _badge(facts: Facts) -> tuple[str, str]:
    if facts.job.status in PENDING:
        wait = waiting(Line.of(facts.job, facts.outlook))
        return wait.look, wait.word
    if facts.job.status == Status.PROCESSING and facts.job.cancel_requested_at:
        return "running", "Cancelling"
    return LOOKS[Status(facts.job.status)]


def _lasted(facts: Facts) -> str:
    end = facts.job.finished_at
    return duration((end - facts.job.created_at).total_seconds()) if end else ""


def sentence(facts: Facts) -> SafeString | str:
    """What a person would say aloud of this job."""
    job = facts.job
    if job.status in PENDING:
        wait = waiting(Line.of(job, facts.outlook))
        return format_html("{} {}", wait.lead, wait.rest)
    if job.status == Status.PROCESSING:
        since = (job.started_at or job.created_at).isoformat()
        doing = stage_words(job.stage, job.provider) or "It runs."
        return format_html('{} <span data-since="{}"></span> so far.', doing, since)
    if job.status == Status.COMPLETED:
        return _finished(facts)
    if job.status == Status.FAILED:
        told = trouble(job.error_code, job.error_message, job.error_action)
        return f"{told.said} {told.todo}".strip()
    return f"It was stopped{' while it ran' if job.started_at else ' before it started'}. {_paid(facts)}"


def _finished(facts: Facts) -> str:
    tries = tries_of(facts.job, facts.attempts)
    how = "on the first try" if tries <= 1 else f"on try {tries}"
    what = _MADE.get(facts.job.kind, "The image was made")
    if facts.prompt and facts.prompt.source in (PromptJob.Source.TEMPLATE, PromptJob.Source.DEFAULT):
        return f"No model wrote a usable prompt, so the workspace's rule made one up. {_paid(facts)}"
    return f"{what} {how}, {_lasted(facts)} after it was asked for. {_paid(facts)}"


def _paid(facts: Facts) -> str:
    if not facts.calls:
        return "Nothing was charged."
    return f"{count(len(facts.calls), 'call')} to providers, {money(facts.cost)} in all."
