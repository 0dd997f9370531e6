"""The one home of what pages say about waits and amounts (errors: troubles.py): plain words, in the order
what happened · to whom or by whom · until when · what to do.

Sentences are safe HTML because a time in them is a `<time>` element; the browser turns it into the reader's own time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.core.broker import Trouble
from apps.desk.estimates import Outlook
from apps.jobs.models import Job
from apps.jobs.states import Reason
from apps.providers.causes import NOTHING_TO_DO, cause_of
from apps.providers.registry import provider_name
from apps.studio.states import NEEDS_PROMPT

THIN = "\u202f"  # keeps a number and its unit on one line
LANES = {
    "prompts": ("Prompts", "prompts", "prompt"),
    "images": ("Images", "images", "image"),
    "listings": ("Listings", "listings", "listing"),
    "visibility": ("Visibility runs", "visibility runs", "visibility"),
}
COMMAND_LINES = {"celery control"}  # what is not a person, among those who pause (apps/desk/remote.py)
NOTHING = mark_safe("")


@dataclass(frozen=True)
class Wait:
    """Why a job does not run now. `look` is the badge's data-s, `lead` is set in bold, `rest` explains."""

    look: str
    word: str
    lead: str = ""
    rest: str = ""


@dataclass(frozen=True)
class Line:
    """One job's place in the line, as words need it."""

    reason: str
    lane: str = ""
    provider: str = ""
    position: int | None = None
    p50: float | None = None
    p90: float | None = None
    until: datetime | None = None
    facts: Mapping[str, object] | None = None

    @classmethod
    def of(cls, job: Job, outlook: Outlook) -> "Line":
        o = outlook
        return cls(
            o.reason, job.lane, job.provider, o.position, o.p50, o.p90, o.until, {"error": _last_error(job)} | o.facts
        )

    def fact(self, name: str) -> object:
        return (self.facts or {}).get(name)


def _last_error(job: Job) -> str:
    """What ended the try before, when the view has loaded it (`job.last_error`)."""
    return str(getattr(job, "last_error", "") or "")


# --- Amounts ---------------------------------------------------------------------------------------
def money(amount: Decimal | None) -> str:
    """US dollars: cents, and as many more digits as small amounts need (never fewer than two)."""
    if amount is None:
        return "not known"
    places = 2 if amount == 0 or abs(amount) >= 1 else 4
    text = f"{amount:.{places}f}"
    return "$" + (re.sub(r"(\.\d\d\d*?)0+$", r"\1", text) if places > 2 else text)


def duration(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f}{THIN}s"
    if seconds < 90:
        return f"{seconds:.0f}{THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{THIN}min" + (f" {rest}{THIN}s" if rest and minutes < 10 else "")
    return f"{minutes // 60}{THIN}h {minutes % 60}{THIN}min"


def span(p50: float | None, p90: float | None) -> str:
    """A wait as a range of seconds or minutes; empty when it is not known."""
    if p50 is None or p90 is None:
        return ""
    if p90 < 1:
        return "starts now"
    unit, size = ("min", 60) if p90 >= 90 else ("s", 1)
    low, high = max(1, round(p50 / size)), max(1, round(p90 / size))
    return f"about {low}{THIN}{unit}" if low >= high else f"{low}–{high}{THIN}{unit}"


def clock(at: datetime | None) -> SafeString:
    """A moment: the server writes UTC, the browser rewrites it in the reader's own time."""
    if at is None:
        return NOTHING
    shown = at.strftime("%H:%M:%S" if abs((at - timezone.now()).total_seconds()) < 3600 else "%d %b %H:%M")
    return format_html('<time datetime="{}" data-clock>{} UTC</time>', at.isoformat(), shown)


def count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def model_name(model: str) -> str:
    """`grok-4.7` → Grok 4.7; `bytedance/seedream-v4.5/edit` → Seedream v4.5 edit."""
    words = re.sub(r"[/_-]+", " ", model.split("/", 1)[-1]).strip()
    return words[:1].upper() + words[1:]


def place(line: Line) -> str:
    """`#3 in queue · 20–40 s`. Position 0 is next."""
    if line.position is None:
        return ""
    ordinal = "Next in line" if line.position == 0 else f"#{line.position + 1} in queue"
    return " · ".join(part for part in (ordinal, span(line.p50, line.p90)) if part)


# --- Why it waits ----------------------------------------------------------------------------------
def _who(line: Line) -> str:
    return provider_name(line.provider or str(line.fact("provider") or "")) or "The provider"


def _lane(line: Line) -> tuple[str, str, str]:
    return LANES.get(line.lane, ("Jobs", "jobs", "job"))


@dataclass(frozen=True)
class Awaited:
    """What the jobs of a lane wait for: the word for it, who makes it where, and what follows."""

    what: str
    lane: str
    provider: str
    then: str


_AWAITED = {
    "images": Awaited("the prompt", "prompts", "xai", "Images start when the prompt is there."),
    "listings": Awaited("the cut-out", "listings", "removebg", "It is made when the cut-out is there."),
}


def _dependency(line: Line) -> Wait:
    """The place shown is that of what it waits for, and so is what that waits for."""
    awaited = _AWAITED.get(line.lane, _AWAITED["images"])
    word = f"Waiting for {awaited.what}"
    if line.fact("status") == "processing":
        return Wait("waiting", word, "", awaited.then)
    inner = _WAITS.get(str(line.fact("waits") or ""))
    if inner is None or inner is _dependency:
        return Wait("waiting", word, place(line), awaited.then)
    until = line.fact("until")
    there = replace(
        line, lane=awaited.lane, provider=awaited.provider, until=until if isinstance(until, datetime) else None
    )
    why = inner(there)
    look = "held" if why.look == "held" else "waiting"
    return Wait(look, word, why.lead, format_html("{} {}", why.rest, awaited.then))


def _children(line: Line) -> Wait:
    return Wait("waiting", "Waiting for its parts", "", "It is done when they are.")


def _needs_prompt(line: Line) -> Wait:
    return Wait("you", "Needs your prompt", "", "No prompt could be written. Type one and press Generate.")


def _lane_paused(line: Line) -> Wait:
    return _by_hand(line, f"{_lane(line)[0]} were paused", "Paused", "resumes them", "they are resumed")


def _provider_held(line: Line) -> Wait:
    return _by_hand(line, f"{_who(line)} was switched off", "Held", "switches it on again", "it is switched on again")


def _owner_held(line: Line) -> Wait:
    return _by_hand(line, "Your jobs were held back", "Held", "releases them", "they are released")


def _by_hand(line: Line, what: str, word: str, undoes: str, undone: str) -> Wait:
    """By whom, when and why, and what ends it: a moment, or whoever did it."""
    by, at, why = str(line.fact("by") or ""), line.fact("since"), str(line.fact("note") or "").strip()
    if by in COMMAND_LINES:
        who, until = " from the command line", f"{undone} there"
    else:
        who, until = (f" by {by}", f"{by} {undoes}") if by else ("", f"somebody {undoes}")
    when = format_html(" at {}", clock(at)) if isinstance(at, datetime) else NOTHING
    lead = format_html("{}{}{}{}.", what, who, when, f": {why.rstrip('.')}" if why else "")
    goes_on = format_html("at {}, or when {}", clock(line.until), until) if line.until else f"when {until}"
    ask = f" Ask {by} if it lasts." if by and by not in COMMAND_LINES else " Ask whoever runs this desk if it lasts."
    return Wait("held", word, lead, format_html("It keeps its place and goes on {}.{}", goes_on, ask))


def _owner_limit(line: Line) -> Wait:
    limit = line.fact("limit")
    running = f"{limit} of your jobs run" if limit else "Your jobs fill your places"
    return Wait("queued", "In queue", place(line), f"{running}, the most one person may have at once.")


def _lane_limit(line: Line) -> Wait:
    if line.fact("cause"):  # the provider's places, not the lane's
        return Wait("queued", "In queue", place(line), str(line.fact("message")))
    limit, (_, _, kind) = line.fact("limit"), _lane(line)
    busy = f"The only {kind} place is busy." if limit == 1 else f"All {limit or ''} {kind} places are busy."
    return Wait("queued", "In queue", place(line), busy.replace("  ", " "))


def _rate_limited(line: Line) -> Wait:
    lead = format_html("Next in line, from {}.", clock(line.until)) if line.until else "Next in line."
    why = line.fact("message") or cause_of("rate_limited", line.provider).said
    return Wait("held", "Held", lead, f"{why} {NOTHING_TO_DO}")


def _breaker_open(line: Line) -> Wait:
    """What is the matter with the provider, who can act, and when it is tried again."""
    cause = cause_of(str(line.fact("cause") or ""), line.provider or str(line.fact("provider") or ""))
    when: SafeString | str = "The first in line tries it next, then the rest go on."
    if line.fact("trial"):
        when = "One job tries it now; when that works, the rest go on."
    elif line.until:
        when = format_html("One job tries it at {}, then the rest go on.", clock(line.until))
    return Wait("held", "Held", cause.said, format_html("{} {}", cause.yours, when))


def _budget(line: Line) -> Wait:
    amount = line.fact("budget")
    whose = "This month's" if line.fact("period") == "month" else "Today's"
    place = {
        "provider": f" for {provider_name(str(line.fact('provider')))}",
        "desk": " for the whole desk",
    }.get(str(line.fact("scope")), "")
    parts = {
        "spent": Decimal(str(line.fact("spent") or 0)),
        "set aside for other jobs": Decimal(str(line.fact("held") or 0)),
        "left": Decimal(str(line.fact("left") or 0)),
    }
    stand = ", ".join(f"{money(part)} {word}" for word, part in parts.items() if part > 0)
    lead = f"{whose} budget is used."
    if amount:
        lacks = "do not reach for it" if parts["left"] > 0 else "are used"
        lead = f"{whose} {money(Decimal(str(amount)))}{place} {lacks}{': ' if stand else ''}{stand}."
    when = format_html("at {}", clock(line.until)) if line.until else "tomorrow"
    freed = ", when another job needs less than was set aside" if parts["set aside for other jobs"] > 0 else ""
    rest = format_html(
        'It goes on {}{}, or at once when the budget is raised. <a href="{}">Spending</a> shows how it stands.',
        when,
        freed,
        reverse("spending"),
    )
    return Wait("held", "Held", lead, rest)


def _backoff(line: Line) -> Wait:
    attempt, of = line.fact("attempt"), line.fact("of")
    tries = f"Try {attempt} of {of}" if attempt and of else "The next try"
    lead = format_html("{} at {}.", tries, clock(line.until)) if line.until else f"{tries} comes soon."
    error = str(line.fact("error") or line.fact("message") or "").strip()
    return Wait("held", "Trying again", lead, f"The try before ended: {error}" if error else "The try before failed.")


def _scheduled(line: Line) -> Wait:
    when = format_html("Starts {}, as you asked.", clock(line.until)) if line.until else "Starts later, as you asked."
    return Wait("queued", "Scheduled", when)


_REDIS = {
    Trouble.AWAY: ("Redis is away", "it is back"),
    Trouble.FULL: ("Redis is full", "there is room"),
    Trouble.REFUSES: ("Redis does not let us in", "it does"),
}


def _no_worker(line: Line) -> Wait:
    trouble = _REDIS.get(Trouble(str(line.fact("cause")))) if line.fact("cause") in set(Trouble) else None
    if trouble:
        what, until = trouble
        rest = f"It keeps its place and starts by itself when {until}. Whoever runs this desk must see to it."
        return Wait("held", "Held", f"{what}, so nobody is woken.", rest)
    since = line.fact("since")
    when = format_html(" since {}", clock(since)) if isinstance(since, datetime) else NOTHING
    lead = format_html("Nobody works on {}{}.", _lane(line)[1], when)
    return Wait("held", "Held", lead, "It keeps its place. Tell whoever runs this desk if it lasts.")


_WAITS: dict[str, Callable[[Line], Wait]] = {
    Reason.DEPENDENCY: _dependency,
    Reason.CHILDREN: _children,
    NEEDS_PROMPT: _needs_prompt,
    Reason.LANE_PAUSED: _lane_paused,
    Reason.PROVIDER_HELD: _provider_held,
    Reason.OWNER_HELD: _owner_held,
    Reason.OWNER_LIMIT: _owner_limit,
    Reason.LANE_LIMIT: _lane_limit,
    Reason.RATE_LIMITED: _rate_limited,
    Reason.BREAKER_OPEN: _breaker_open,
    Reason.BUDGET: _budget,
    Reason.BACKOFF: _backoff,
    Reason.SCHEDULED: _scheduled,
    Reason.NO_WORKER: _no_worker,
}


def waiting(line: Line) -> Wait:
    """What a job that does not run says. Without a reason it is simply in line."""
    say = _WAITS.get(line.reason)
    return say(line) if say else Wait("queued", "In queue", place(line))


# --- What it does now ------------------------------------------------------------------------------
MISSED_BEATS = 2  # one may be late on a busy machine
STAGES = {
    "waiting_for_prompt": "Waiting for the prompt.",
    "reading": "Reading the pictures.",
    "writing": "Grok is writing.",
    "submitting": "Sending the order.",
    "waiting_for_provider": "{provider} is rendering.",
    "saving": "Saving the picture.",
    "waiting_for_cutout": "Waiting for the cut-out.",
    "cutting_out": "The product is being cut out.",
    "painting": "{provider} is painting.",
    "drawing": "We are drawing.",
    "measuring": "Measuring it against the rules.",
    "writing_texts": "{provider} is writing.",
    "checking_texts": "Checking the texts.",
    "settling": "Finding out what became of the order.",
}


def stage_words(stage: str, provider: str = "") -> str:
    return STAGES.get(stage, "").format(provider=provider_name(provider) or "The provider")


def silence(job: Job) -> SafeString:
    """Said when the worker that holds the job missed its signs of life; nothing while it is well."""
    if job.lease_until is None:
        return NOTHING
    left = (job.lease_until - timezone.now()).total_seconds()
    if left > settings.LEASE_SECONDS - MISSED_BEATS * settings.HEARTBEAT_SECONDS:
        return NOTHING
    if left <= 0:
        return mark_safe("Its worker is silent; another one takes over now.")
    return format_html("Its worker is silent. Taken over at {} if nothing is heard.", clock(job.lease_until))
