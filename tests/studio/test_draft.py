"""The words arriving: told at most five times a second, kept nowhere, and the ledger as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
import redis
from django.conf import settings as configured

from apps.accounts.models import User
from apps.jobs.announce import CHANNEL
from apps.jobs.models import Job, JobEvent
from apps.jobs.states import FINAL
from apps.live.hub import encode
from apps.orders.draft import APART_SECONDS, Draft
from apps.providers.models import Call
from apps.studio.models import PromptJob, Row, Workspace
from apps.studio.services import queue_prompt
from tests.support.stack import Stack, wait_until

LONGEST_TOLD = 2400


def test_it_tells_the_whole_text_and_no_more_than_five_times_a_second() -> None:
    told: list[str] = []
    moments = iter(number * APART_SECONDS / 4 for number in range(100))
    Draft(told.append, LONGEST_TOLD, clock=lambda: next(moments)).follow([f"{number} " for number in range(9)])
    assert told == ["0 ", "0 1 2 3 4 ", "0 1 2 3 4 5 6 7 8 "]


def test_blank_pieces_tell_nothing_and_an_endless_text_is_cut() -> None:
    told: list[str] = []
    moments = iter(range(100))
    Draft(told.append, LONGEST_TOLD, clock=lambda: next(moments)).follow(["", "\n", "a" * LONGEST_TOLD, "b"])
    assert {len(text) for text in told} == {LONGEST_TOLD}


def test_a_partial_text_leaves_the_last_event_id_alone() -> None:
    assert encode({"id": 7, "job": "j"}).startswith(b"id: 7\ndata: ")
    assert encode({"id": 0, "job": "j", "partial": "a\nb"}) == b'data: {"id":0,"job":"j","partial":"a\\nb"}\n\n'


@contextmanager
def channel() -> Iterator[Any]:
    """What is published from now on."""
    with redis.Redis.from_url(configured.REDIS_URL) as client, client.pubsub() as feed:
        feed.subscribe(CHANNEL)
        feed.get_message(timeout=5)
        yield feed


def partials(feed: Any, uid: object) -> list[dict[str, Any]]:
    found = []
    while message := feed.get_message(timeout=0.2):
        if message["type"] == "message":
            found += [event for event in orjson.loads(message["data"]) if "partial" in event]
    assert {event["job"] for event in found} <= {str(uid)}
    return found


def finished(job: Job) -> PromptJob:
    wait_until(lambda: Job.objects.get(pk=job.pk).status in FINAL, seconds=60, what="the prompt")
    return PromptJob.objects.select_related("job").get(job=job)


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_the_words_arrive_before_the_prompt_is_there(stack: Stack, owner: User, row: Row) -> None:
    with channel() as feed:
        job = queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url)
        prompt = finished(job)
        told = partials(feed, job.uid)
    assert told
    assert told[0]["owner"] == owner.pk
    assert told[0]["subject"] == f"row:{row.pk}"
    assert all(prompt.generated_prompt.startswith(event["partial"].strip()[:20]) for event in told)
    call = Call.objects.get(job_id=job.pk)
    assert (call.state, call.cost_source, call.result["text"]) == ("succeeded", "reported", prompt.generated_prompt)
    assert call.provider_id, "named by the provider, so that it can be found there"
    assert not JobEvent.objects.filter(job=job, stage__contains="partial").exists()


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_stream_cut_in_the_middle_is_no_prompt_and_stays_flagged(
    stack: Stack, owner: User, row: Row, workspace: Workspace
) -> None:
    stack.simulator.scenario("xai", match={"path": "/chat/completions"}, times=1, truncate_after_bytes=700)
    job = queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url)
    prompt = finished(job)
    cut = Call.objects.filter(job_id=job.pk).order_by("created_at")[0]
    assert cut.state == "unknown"
    assert prompt.tried[0]["outcome"] == "error"
    assert prompt.job.status == "completed", "the next model wrote it"
    assert prompt.generated_prompt not in str(cut.result)


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_an_error_in_mid_stream_is_that_models_failure(stack: Stack, owner: User, row: Row) -> None:
    stack.simulator.scenario("xai", match={"path": "/chat/completions"}, times=1, stream_error_after_chunks=2)
    prompt = finished(queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url))
    assert [tried["outcome"] for tried in prompt.tried] == ["error", "accepted"]
    assert Call.objects.filter(job_id=prompt.pk).order_by("created_at")[0].state == "failed"


def test_without_redis_nothing_is_told_and_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.core import broker
    from apps.jobs import announce

    away = broker.Hints("redis://127.0.0.1:9/0")
    monkeypatch.setattr(announce, "hints", away)
    draft = Draft(lambda text: announce.partial_text(1, "u", "row:1", text), LONGEST_TOLD)  # type: ignore[arg-type]
    assert draft.follow(["some ", "words"]) is None
    assert draft.text == "some words"
