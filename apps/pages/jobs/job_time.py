"""Where a job's time went: its waits, tries and calls as bars on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps.jobs.models import Attempt, Job
from apps.jobs.states import TURNED_AWAY, Outcome, Status
from apps.pages.jobs.job_story import tries_before
from apps.pages.words import duration, model_name
from apps.providers.models import Call, CallState
from apps.providers.registry import provider_name

WAIT, WORK, LOST, SAVE = "ink", "run", "hold", "good"
SHORTEST = 0.15  # seconds; a shorter step says nothing
LINE, TOP, FOOT = 30, 27, 8  # of the drawing, in its own units
STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)


@dataclass(frozen=True)
class Step:
    name: str
    start: datetime
    end: datetime
    tone: str
    note: str = ""

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def steps_of(job: Job, attempts: Sequence[Attempt], calls: Sequence[Call]) -> list[Step]:
    """In order; tries with calls are shown as their calls and what came after them.

    A try that a held provider turned away before it called anybody is part of a wait, not a step of its own.
    """
    now = job.finished_at or timezone.now()
    real = [past for past in attempts if past.outcome not in TURNED_AWAY or _of(calls, past.number)]
    steps = _before(job, attempts, now)
    for past in real:
        number = tries_before(attempts, past.number) + 1
        steps += _try(number, past.started_at, past.finished_at, past.outcome, _of(calls, past.number))
    if job.status == Status.PROCESSING and job.started_at:
        number = tries_before(attempts, job.attempt) + 1
        steps += _try(number, job.started_at, now, "", _of(calls, job.attempt))
    steps += _between(attempts, real, job, now)
    return sorted((step for step in steps if step.seconds >= SHORTEST), key=lambda step: (step.start, step.end))


def _of(calls: Sequence[Call], number: int) -> list[Call]:
    return [call for call in calls if call.attempt == number]


def _before(job: Job, attempts: Sequence[Attempt], now: datetime) -> list[Step]:
    first = attempts[0].started_at if attempts else job.started_at or now
    queued = min(job.queued_at or first, first)
    waited = (
        [Step("Before the queue", job.created_at, queued, WAIT, "waited for its prompt")]
        if job.waits_for_id or queued > job.created_at
        else []
    )
    return [*waited, Step("In the queue", queued, first, WAIT)]


def _try(number: int, start: datetime, end: datetime, outcome: str, calls: Sequence[Call]) -> list[Step]:
    steps, free = [], start
    for call in calls:
        sent, over = call.sent_at or call.created_at, min(call.finished_at or end, end)
        name = f"{provider_name(call.provider)} · {model_name(call.model_asked)}"
        lost = call.state in (CallState.FAILED, CallState.LOST, CallState.UNKNOWN)
        steps.append(Step(name, sent, max(over, sent), LOST if lost else WORK, call.error_message[:60]))
        free = max(free, over)
    tone = {Outcome.COMPLETED: SAVE, "": WORK}.get(outcome, LOST)
    rest = {Outcome.COMPLETED: "Checking and saving", "": f"Try {number}, so far"}.get(
        outcome, f"Try {number}: {outcome}"
    )
    return [*steps, Step(rest.replace("_", " "), free, end, tone)]


def _between(attempts: Sequence[Attempt], real: Sequence[Attempt], job: Job, now: datetime) -> list[Step]:
    """What lies between its first start and now and is no try: each such gap is one wait."""
    busy = [(past.started_at, past.finished_at) for past in real]
    if job.status == Status.PROCESSING and job.started_at:
        busy.append((job.started_at, now))
    over = min([past.started_at for past in attempts] + [start for start, _ in busy], default=now)
    turned_away = [past.started_at for past in attempts if past not in real]
    gaps = []
    for start, end in [*busy, (now, now)]:
        held = any(over <= at <= start for at in turned_away)
        name = f"Waiting for {provider_name(job.provider) or 'its time'}" if held else "Before the next try"
        if start > over:
            gaps.append(Step(name, over, start, WAIT))
        over = max(over, end)
    return gaps


# --- the drawing -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Mark:
    x: float
    word: str
    anchor: str


@dataclass(frozen=True)
class Drawn:
    """One bar: lengths in the drawing's own units."""

    step: Step
    name: str
    y: int
    x: float
    width: float
    text_x: float
    anchor: str
    words: str

    @property
    def text_y(self) -> int:
        return self.y + 13


@dataclass(frozen=True)
class Chart:
    width: int
    height: int
    marks: list[Mark]
    bars: list[Drawn]


def chart_of(steps: Sequence[Step], *, width: int, label: int, notes: bool) -> Chart:
    """`label` units on the left are for the names; words stand beside a bar, on the side that has room."""
    start = min((step.start for step in steps), default=timezone.now())
    whole = max((max(step.end for step in steps) - start).total_seconds(), 1.0) if steps else 1.0
    unit = (width - label - FOOT) / whole
    bars = []
    for line, step in enumerate(steps):
        x = label + (step.start - start).total_seconds() * unit
        long = max(step.seconds * unit, 2.0)
        words = duration(step.seconds) + (f" · {step.note}" if notes and step.note else "")
        left = x + long + 6 + 7 * len(words) > width
        text_x = x - 6 if left else x + long + 6
        name = step.name if notes else step.name.rpartition(" · ")[2]
        bars.append(
            Drawn(
                step,
                name,
                TOP + LINE * line,
                round(x, 1),
                round(long, 1),
                round(text_x, 1),
                "end" if left else "start",
                words,
            )
        )
    return Chart(width, TOP + LINE * len(steps), _marks(whole, unit, label), bars)


def _marks(whole: float, unit: float, label: int) -> list[Mark]:
    every = next((step for step in STEPS if whole / step <= 5), STEPS[-1])
    times = [every * place for place in range(int(whole / every) + 1)]
    return [Mark(round(label + at * unit, 1), _axis(at), "start" if at == 0 else "middle") for at in times]


def _axis(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def spoken(steps: Sequence[Step]) -> str:
    """The chart as a sentence, its accessible name."""
    return f"{len(steps)} steps: " + ", ".join(f"{step.name} {duration(step.seconds)}" for step in steps) + "."
