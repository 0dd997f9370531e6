"""A job's page: tries that count, waits in one line each, and calls whose job is over."""

import re

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job, JobEvent, Lane
from apps.jobs.states import Outcome, Reason
from apps.jobs.values import Failure, Lease
from apps.providers.models import CallState
from tests.factories import CallFactory, JobFactory, RowFactory

pytestmark = pytest.mark.django_db
BUSY = Failure("provider_overloaded", "WaveSpeed is overloaded or broken.")


@pytest.fixture
def job(reader: User) -> Job:
    Lane.objects.filter(name="images").update(limit=None, owner_limit=None)
    lanes.forget_limits()
    return JobFactory(row=RowFactory(workspace__owner=reader))


def started() -> Lease:
    lease = lifecycle.claim(lane="images", worker="images@one")
    assert lease is not None
    lifecycle.set_stage(lease, "submitting")
    return lease


def turned_away(job: Job, reason: Reason = Reason.BREAKER_OPEN, outcome: Outcome = Outcome.BREAKER) -> None:
    """One time that a held provider sent it back, and that it joined the line again."""
    lifecycle.reschedule(started(), seconds=0, reason=reason, outcome=outcome, failure=BUSY, counts=False)
    lifecycle.requeue([job.pk])


def failed_try(job: Job) -> None:
    lifecycle.reschedule(started(), seconds=0, reason="backoff_until", outcome="retry", failure=BUSY, counts=True)
    lifecycle.requeue([job.pk])


def shown(page: Client, job: Job) -> str:
    """The page's words, and its tries as in the docket."""
    text = re.sub(r"<[^>]+>", " ", page.get(f"/jobs/{job.uid}").content.decode())
    return re.sub(r"\s+", " ", text)


def timeline(text: str) -> str:
    return text[text.index("Timeline") : text.index("Every event")]


def test_waiting_out_a_breaker_is_one_line_and_no_try(page: Client, job: Job) -> None:
    failed_try(job)
    for _ in range(5):
        turned_away(job)
    lifecycle.fail(started(), Failure("result_lost", "WaveSpeed lost the result.", "Try it again."))
    text = shown(page, job)
    assert JobEvent.objects.filter(job=job).count() > 25, "every event stays, one click away"
    assert "Tries 2 of 4 and waited 5 times without using one" in text
    story = timeline(text)
    assert story.count("It waited for WaveSpeed") == 1
    assert re.search(r"It asked 5 times until [\d:]+ UTC ?; no try was used\.", story)
    assert story.count("Try 1 started") == story.count("Try 2 started") == 1
    assert "Try 3" not in story
    assert "Try 7" not in text


def test_a_wait_for_money_is_not_a_wait_for_the_provider(page: Client, job: Job) -> None:
    turned_away(job, Reason.BUDGET, Outcome.RATE_LIMITED)
    Job.objects.filter(pk=job.pk).update(status="queued", run_after=None, reason="")
    started()
    story = timeline(shown(page, job))
    assert "It waits: the budget is used" in story
    assert "It waited for WaveSpeed" not in story


def test_what_waits_now_has_used_only_the_tries_that_counted(page: Client, job: Job) -> None:
    failed_try(job)
    turned_away(job)
    assert "Tries 1 of 4" in shown(page, job)


def test_two_waits_are_two_lines_when_something_else_happened_between(page: Client, job: Job) -> None:
    turned_away(job)
    failed_try(job)
    turned_away(job)
    started()
    text = shown(page, job)
    assert timeline(text).count("It waited for WaveSpeed") == 2
    assert "Tries 2 of 4 and waited 2 times" in text


@pytest.mark.parametrize(
    ("state", "word"), [(CallState.ACCEPTED, "Ordered, not fetched"), (CallState.INTENT, "Sent, not answered")]
)
def test_a_call_of_a_job_that_is_over_is_not_under_way(page: Client, job: Job, state: CallState, word: str) -> None:
    lease = started()
    CallFactory(job_id=job.pk, state=state)
    running = page.get(f"/jobs/{job.uid}").content.decode()
    assert word not in running
    lifecycle.fail(lease, Failure("result_lost", "WaveSpeed lost the result.", "Try it again."))
    over = page.get(f"/jobs/{job.uid}").content.decode()
    assert word in over
    calls = over[over.index('id="calls"') :]
    assert 'data-s="running"' not in calls[: calls.index("</table>")]
