"""Every reason and every error has words; amounts are honest."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.jobs.states import Reason, Stage
from apps.pages import troubles, words
from apps.pages.words import Line
from apps.studio.states import WAITING_FOR_PROMPT, WRITING

UNTIL = datetime(2026, 11, 22, 14, 3, 20, tzinfo=UTC)


def said(**line: object) -> str:
    wait = words.waiting(Line(**line))  # type: ignore[arg-type]
    return f"{wait.word} | {wait.lead} | {wait.rest}"


@pytest.mark.parametrize("reason", Reason.values)
def test_every_reason_says_something_with_and_without_facts(reason: str) -> None:
    bare = words.waiting(Line(reason=reason, lane="images", provider="wavespeed"))
    assert bare.word
    assert bare.lead or bare.rest
    facts = {"limit": 3, "running": 3, "by": "Jo Beck", "since": UNTIL, "attempt": 2, "of": 4, "provider": "wavespeed"}
    full = said(
        reason=reason, lane="images", provider="wavespeed", position=2, p50=20, p90=40, until=UNTIL, facts=facts
    )
    assert "None" not in full
    assert "{" not in full


@pytest.mark.parametrize(
    "reason",
    [
        Reason.LANE_PAUSED,
        Reason.PROVIDER_HELD,
        Reason.OWNER_HELD,
        Reason.RATE_LIMITED,
        Reason.BREAKER_OPEN,
        Reason.BUDGET,
        Reason.BACKOFF,
        Reason.NO_WORKER,
    ],
)
def test_what_is_held_wears_the_hourglass(reason: str) -> None:
    assert words.waiting(Line(reason=reason)).look == "held"


def test_lane_limit_names_the_place_the_wait_and_the_cause() -> None:
    line = said(reason="lane_limit", lane="prompts", position=2, p50=20, p90=40, facts={"limit": 3})
    assert "#3 in queue · 20–40\u202fs" in line
    assert "All 3 prompt places are busy." in line


def test_lane_paused_names_who_and_when() -> None:
    line = said(reason="lane_paused", lane="images", facts={"by": "Jo Beck", "since": UNTIL})
    assert "Images were paused by Jo Beck at" in line
    assert "goes on when Jo Beck resumes them." in line


def test_a_pause_by_the_command_line_has_no_person() -> None:
    from apps.desk.remote import BY

    line = said(reason="lane_paused", lane="images", facts={"by": BY, "since": UNTIL})
    assert "Images were paused from the command line at" in line
    assert "goes on when they are resumed there." in line
    assert BY not in line


def test_a_name_with_markup_is_shown_as_text() -> None:
    line = said(reason="lane_paused", lane="images", facts={"by": "<b>Jo</b>"})
    assert "&lt;b&gt;Jo" in line


def test_rate_limit_gives_a_time_the_browser_makes_local() -> None:
    line = said(reason="rate_limited_until", provider="wavespeed", until=UNTIL)
    assert f'<time datetime="{UNTIL.isoformat()}" data-clock>' in line
    assert "WaveSpeed asked us to slow down. Nothing to do: it goes on by itself and loses no try." in line


def test_images_behind_a_held_prompt_say_what_holds_the_prompt() -> None:
    facts = {"status": "queued", "waits": "lane_paused", "by": "Jo", "since": UNTIL}
    line = said(reason="dependency", lane="images", facts=facts)
    assert "Prompts were paused by Jo" in line
    assert "Images start when the prompt is there." in line


def test_the_first_in_line_is_next_not_number_one() -> None:
    assert words.place(Line("lane_limit", position=0, p50=1, p90=5)) == "Next in line · 1–5\u202fs"


@pytest.mark.parametrize(
    ("p50", "p90", "shown"),
    [
        (20, 40, "20–40\u202fs"), (61, 130, "1–2\u202fmin"), (30, 30, "about 30\u202fs"), (None, 4, ""), (3, None, ""),
        (0, 0.4, "starts now"),
    ],
)  # fmt: skip
def test_span_is_a_range_or_nothing(p50: float | None, p90: float | None, shown: str) -> None:
    assert words.span(p50, p90) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("0.04", "$0.04"),
        ("0.0026", "$0.0026"),
        ("0.120", "$0.12"),
        ("3.1849", "$3.18"),
        (None, "not known"),
    ],
)
def test_money_has_cents_and_as_much_more_as_small_sums_need(amount: str | None, shown: str) -> None:
    assert words.money(None if amount is None else Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(5.84, "5.8\u202fs"), (52, "52\u202fs"), (99, "1\u202fmin 39\u202fs"), (3700, "1\u202fh 1\u202fmin")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


def test_clock_shows_seconds_within_the_hour_and_the_day_beyond() -> None:
    soon, later = timezone.now() + timedelta(minutes=5), timezone.now() + timedelta(days=2)
    assert f"{soon:%H:%M:%S} UTC" in words.clock(soon)
    assert f"{later:%d %b %H:%M} UTC" in words.clock(later)


@pytest.mark.parametrize("stage", [*Stage.values, WAITING_FOR_PROMPT, WRITING])
def test_every_stage_has_words(stage: str) -> None:
    assert words.stage_words(stage, "wavespeed").endswith(".")


def test_an_error_keeps_its_own_words() -> None:
    told = troubles.trouble("no_credits", "WaveSpeed has no credits left.", "Buy credits at WaveSpeed.")
    assert (told.said, told.todo) == ("WaveSpeed has no credits left.", "Buy credits at WaveSpeed.")


@pytest.mark.parametrize("code", ["crashed_repeatedly", "outcome_unknown", "dependency_failed", "never seen before"])
def test_an_error_without_words_gets_some(code: str) -> None:
    told = troubles.trouble(code)
    assert told.said
    assert told.todo


@pytest.mark.parametrize(
    ("model", "shown"),
    [("grok-4.7", "Grok 4.7"), ("bytedance/seedream-v4.5/edit", "Seedream v4.5 edit"), ("", "")],
)
def test_model_name(model: str, shown: str) -> None:
    assert words.model_name(model) == shown
