"""The status cell of a row: badge, sentences, bar, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.errors import Remedy
from apps.desk.estimates import Outlook
from apps.jobs.models import Job
from apps.jobs.states import PENDING, Status
from apps.pages.troubles import Trouble, charged, trouble
from apps.pages.words import Line, Wait, count, duration, model_name, money, silence, stage_words, waiting
from apps.studio.models import PromptJob
from apps.studio.rows import RowState


@dataclass(frozen=True)
class Said:
    """One paragraph. `style`: status-line, or todo for what a person must read."""

    text: str
    style: str = "status-line"


@dataclass(frozen=True)
class Bar:
    """`whole` 0: nobody knows how far it is."""

    of: str
    done: int = 0
    whole: int = 0
    held: bool = False

    @property
    def known(self) -> bool:
        return self.whole > 0


@dataclass(frozen=True)
class RowStatus:
    look: str
    word: str
    lines: tuple[Said, ...] = ()
    bar: Bar | None = None
    at: datetime | None = None
    remedy: Remedy = Remedy.NONE


Outlooks = Mapping[int, Outlook]


def status_of_row(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    tell = {
        "idle": _idle,
        "queued": _queued,
        "running": _running,
        "done": _done,
        "partial": _partial,
        "error": _error,
        "needs_you": _needs_you,
    }[state.status]
    told = tell(state, outlooks, cost)
    return replace(told, lines=(*told.lines, _several(state.runs))) if state.runs > 1 else told


def _several(runs: int) -> Said:
    """Two tabs, or the API beside the page, may have asked more than once."""
    return Said(f"{runs} runs of this row are not over. Cancel stops {'both' if runs == 2 else 'all of them'}.")


def _idle(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    if state.jobs and all(job.status == Status.CANCELLED for job in state.jobs):
        return _cancelled(state, cost)
    ready = "Ready when you are." if state.row.target_url else "Choose a target picture first."
    return RowStatus("idle", "Idle", (Said(ready),))


def _cancelled(state: RowState, cost: Decimal | None) -> RowStatus:
    started = any(job.started_at for job in state.jobs)
    when = "It was stopped while it ran." if started else "Stopped before it started."
    return RowStatus("cancelled", "Cancelled", (Said(f"{when} {charged(cost)}"),), at=_ended(state))


# ---- waiting
def _queued(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    images = [job for job in state.jobs if job.status in PENDING]
    asked = next((job for job in state.prompts if job.status in PENDING), None)
    if asked and all(job.status == Status.WAITING for job in images):
        return _prompt_waits(state, asked, outlooks)
    first = _first_to_start(images, outlooks)
    return _waits(waiting(Line.of(first, outlooks.get(first.pk, Outlook()))), _saved(state), "images")


def _prompt_waits(state: RowState, prompt_job: Job, outlooks: Outlooks) -> RowStatus:
    wait = waiting(Line.of(prompt_job, outlooks.get(prompt_job.pk, Outlook())))
    if not any(job.waits_for_id == prompt_job.pk for job in state.jobs):
        return _waits(wait, None, "prompt")
    rest = format_html("{} Images start when the prompt is there.", wait.rest)
    word = "Waiting for the prompt" if wait.look == "queued" else wait.word
    return _waits(Wait(wait.look, word, wait.lead, rest), None, "prompt")


def _waits(wait: Wait, bar: Bar | None, of: str) -> RowStatus:
    lead = (Said(format_html("<b>{}</b>", wait.lead)),) if wait.lead else ()
    rest = (Said(wait.rest),) if wait.rest else ()
    if wait.look == "held":
        bar = Bar(of, held=True)
    return RowStatus(wait.look, wait.word, lead + rest, bar)


def _first_to_start(jobs: list[Job], outlooks: Outlooks) -> Job:
    def when(job: Job) -> tuple[int, int]:
        position = outlooks.get(job.pk, Outlook()).position
        return (1 << 30 if position is None else position, job.pk)

    return min(jobs, key=when)


def _saved(state: RowState) -> Bar | None:
    done = sum(1 for job in state.jobs if job.status == Status.COMPLETED)
    return Bar("images", done, len(state.jobs)) if done else None


# ---- running
def _running(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    jobs = [job for job in state.jobs if job.status == Status.PROCESSING]
    if not jobs:
        return _writing(next(job for job in state.prompts if job.status == Status.PROCESSING))
    if all(job.cancel_requested_at for job in jobs):
        words = "The worker stops at its next step. A picture that still comes is kept, marked, and not shown here."
        return RowStatus("running", "Cancelling", (Said(words),), Bar("images"))
    return _making(state, jobs)


def _writing(job: Job) -> RowStatus:
    if job.cancel_requested_at:
        return RowStatus("running", "Cancelling", (Said("The worker stops at its next step."),), Bar("prompt"))
    return RowStatus("running", "Writing the prompt", (Said(_now(job)), *_unheard([job])), Bar("prompt"))


def _making(state: RowState, running: list[Job]) -> RowStatus:
    done = sum(1 for job in state.jobs if job.status == Status.COMPLETED)
    whole = len(state.jobs)
    lead = format_html("<b>{} of {} saved.</b> ", done, whole) if whole > 1 else ""
    line = format_html("{}{}", lead, _now(_furthest(running)) if running else "")
    bar = Bar("images", done, whole) if done else Bar("images")
    return RowStatus("running", "Running", (Said(line), *_unheard(running)), bar)


_ORDER = ("", "reading", "submitting", "waiting_for_provider", "saving", "settling")


def _furthest(jobs: list[Job]) -> Job:
    return max(jobs, key=lambda job: (_ORDER.index(job.stage) if job.stage in _ORDER else 0, -job.pk))


def _now(job: Job) -> SafeString:
    since = job.started_at or job.created_at
    return format_html(
        '{} <span data-since="{}"></span> so far.', stage_words(job.stage, job.provider), since.isoformat()
    )


def _unheard(running: list[Job]) -> list[Said]:
    """Of the job that is taken over first."""
    held = sorted((job for job in running if job.lease_until), key=lambda job: job.lease_until or job.created_at)
    words = silence(held[0]) if held else ""
    return [Said(words)] if words else []


# ---- over
def _done(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    made = [job for job in state.jobs if job.status == Status.COMPLETED]
    if not made:
        pictures = Said(f"{count(len(state.images), 'image')} from before")
        if state.jobs:  # with pictures from before, and none of its own: it was cancelled
            told = _cancelled(state, cost)
            return replace(told, lines=(*told.lines, pictures))
        return RowStatus("done", "Done", (pictures,))
    seconds = duration((_last(made) - min(job.created_at for job in made)).total_seconds())
    paid = f" · {money(cost)}" if cost else ""
    return RowStatus("done", "Done", (Said(f"{count(len(made), 'image')} in {seconds}{paid}"),), at=_last(made))


def _partial(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    done = sum(1 for job in state.jobs if job.status == Status.COMPLETED)
    words = f"{done} of {len(state.jobs)}"
    paid = (Said(f"The run cost {money(cost)}."),) if cost else ()
    remedy = _trouble(state).remedy
    if remedy == Remedy.RETRY:  # "Try the 2 again" stands under Generate already
        remedy = Remedy.NONE
    return RowStatus("partial", words, _trouble_lines(state) + paid, at=_ended(state), remedy=remedy)


def _error(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    word = "Failed" if state.jobs else "No prompt"
    lines = (*_trouble_lines(state), Said(charged(cost)))
    return RowStatus("failed", word, lines, at=_ended(state), remedy=_trouble(state).remedy)


def _needs_you(state: RowState, outlooks: Outlooks, cost: Decimal | None) -> RowStatus:
    tried = _models_tried(state.prompt_job)
    said = f"{tried} could not write one for this target." if tried else "No prompt could be written for this target."
    return RowStatus("you", "Needs your prompt", (Said(f"{said} Type a prompt and press Generate.", "todo"),))


def _models_tried(job: Job | None) -> str:
    detail: PromptJob | None = getattr(job, "prompt_job", None)
    models = list(
        dict.fromkeys(str(one.get("model", "")) for one in (detail.tried if detail else []) if isinstance(one, dict))
    )
    names = [model_name(model) for model in models if model]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _trouble(state: RowState) -> Trouble:
    error = state.error or {"code": "", "message": "", "action": "", "remedy": Remedy.NONE}
    return trouble(error["code"], error["message"], error["action"], Remedy(error["remedy"]))


def _trouble_lines(state: RowState) -> tuple[Said, ...]:
    told = _trouble(state)
    return (Said(f"{told.said} {told.todo}".strip(), "todo"),)


def _ended(state: RowState) -> datetime | None:
    jobs = state.jobs or ([state.prompt_job] if state.prompt_job else [])
    ends = [job.finished_at for job in jobs if job.finished_at]
    return max(ends, default=None)


def _last(jobs: list[Job]) -> datetime:
    return max(job.finished_at or job.created_at for job in jobs)
