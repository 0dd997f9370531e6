"""Operators: the queue command and celery's remote control, and what they do to jobs."""

import json
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.accounts.audit import AuditEntry, machine_user
from apps.accounts.models import User
from apps.desk import operations
from apps.desk.estimates import describe
from apps.jobs import lifecycle, services
from apps.jobs.models import Hold, Job, JobEvent
from apps.jobs.values import Failure
from apps.providers.models import Call
from tests.factories import AttemptFactory, CallFactory
from tests.jobs.conftest import LANE, claim
from tests.support.stack import BIN, ROOT, running

pytestmark = pytest.mark.django_db(transaction=True)
Enqueue = Callable[..., Job]


def queue(*arguments: str) -> Any:
    out = StringIO()
    call_command("queue", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("queue", *arguments, stdout=out)
    return out.getvalue()


def fail(job: Job, code: str = "broken") -> None:
    assert lifecycle.fail(claim(), Failure(code, "It broke.", "Mend it."))
    job.refresh_from_db()
    assert job.status == "failed"


def test_stats_count_every_state_of_a_lane(enqueue: Enqueue) -> None:
    first = enqueue()
    enqueue()
    enqueue(waits_for_id=first.pk)
    enqueue(run_after=timezone.now() + timedelta(hours=1))
    claim()
    (facts,) = (lane for lane in queue("stats") if lane["lane"] == LANE)
    assert [facts[name] for name in ("queued", "waiting", "scheduled", "running")] == [1, 1, 1, 1]
    assert facts["oldest_queued_at"]
    assert LANE in said("stats")


def test_pause_and_resume(enqueue: Enqueue) -> None:
    job = enqueue()
    queue("pause", LANE, "--by", "jo", "--why", "maintenance")
    assert claim() is None
    assert describe([job])[job.pk].facts["by"] == "jo"
    assert queue("stats")[settings_index()]["holds"][0]["reason"] == "lane_paused"
    queue("resume", LANE)
    assert claim()


def settings_index() -> int:
    from django.conf import settings

    return settings.LANES.index(LANE)


def test_drain_waits_until_what_runs_has_ended(enqueue: Enqueue) -> None:
    enqueue()
    enqueue()
    lease = claim()
    assert queue("drain", LANE, "--seconds", "0")["running"] == 1
    looked = threading.Event()

    def finish() -> None:
        looked.wait(10)
        lifecycle.complete(lease)
        connection.close()

    worker = threading.Thread(target=finish)
    worker.start()
    looked.set()
    drained = queue("drain", LANE, "--seconds", "30")
    worker.join()
    assert drained["running"] == 0
    assert claim() is None, "a drained lane stays paused"


def test_stop_pauses_everything_and_asks_what_runs_to_stop(enqueue: Enqueue) -> None:
    enqueue()
    waiting = enqueue()
    lease = claim()
    assert queue("stop")["asked"] == 1
    assert lifecycle.heartbeat(lease).cancel_requested
    assert claim() is None
    waiting.refresh_from_db()
    assert waiting.status == "queued", "what waits keeps its place"
    assert Hold.objects.count() == len(queue("stats"))


def test_an_owner_or_a_provider_is_held_and_released(enqueue: Enqueue, owner: User, other: User) -> None:
    mine, theirs = enqueue(), enqueue(owner_id=other.pk)
    queue("hold", "owner", owner.username)
    assert claim().job_id == theirs.pk
    assert claim() is None
    queue("release", "owner", owner.username)
    assert claim().job_id == mine.pk
    Job.objects.filter(pk=enqueue().pk).update(provider="xai")
    queue("hold", "provider", "xai")
    assert claim() is None
    queue("release", "provider", "xai")
    assert claim()


@pytest.mark.parametrize("wrong", [("hold", "owner", "nobody"), ("hold", "provider", "acme")])
def test_a_name_that_does_not_exist_is_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=wrong[2]):
        queue(*wrong)
    assert not Hold.objects.exists()


def test_redrive_says_first_then_does(enqueue: Enqueue) -> None:
    broken, other = enqueue(), enqueue()
    fail(broken)
    fail(other, "no_credits")
    plan = queue("redrive", "--code", "broken", "--dry-run")
    assert (plan["count"], plan["by_code"], plan["made"]) == (1, {"broken": 1}, 0)
    assert not Job.objects.filter(retry_of__isnull=False).exists()
    assert queue("redrive", "--code", "broken")["made"] == 1
    assert Job.objects.get(retry_of=broken).status == "queued"
    assert queue("redrive", "--code", "broken")["count"] == 0, "tried again already"
    assert queue("redrive", "--dry-run")["count"] == 1
    assert "1 failed jobs would be tried again (1 no_credits)" in said("redrive", "--dry-run")


def test_redrive_knows_what_such_jobs_usually_cost(enqueue: Enqueue) -> None:
    done, failed = enqueue(kind="image"), enqueue(kind="image")
    AttemptFactory(job=done, kind="image")
    CallFactory(job_id=done.pk, cost_usd=Decimal("0.04"))
    lifecycle.request_cancel([done.pk])
    lease = lifecycle.claim(lane="images", worker="w1")
    lifecycle.fail(lease, Failure("broken", "It broke."))
    assert operations.redrive([Job.objects.get(pk=failed.pk)], dry_run=True).cost_usd == Decimal("0.04")
    Call.objects.all().delete()
    assert operations.redrive([Job.objects.get(pk=failed.pk)], dry_run=True).cost_usd is None


def test_a_job_has_one_live_retry(enqueue: Enqueue, owner: User) -> None:
    job = enqueue()
    fail(job)
    again = services.retry_job(user=owner, uid=job.uid)
    with pytest.raises(services.Problem) as refusal:
        services.retry_job(user=owner, uid=job.uid)
    assert (refusal.value.status, refusal.value.code) == (409, "already_retried")
    fail(again)
    third = services.retry_job(user=owner, uid=again.uid)
    chain = [third, third.retry_of, third.retry_of.retry_of]
    assert [each.pk for each in chain] == [third.pk, again.pk, job.pk]


def test_a_stopped_lane_shows_who_and_why(enqueue: Enqueue) -> None:
    job = enqueue()
    operations.stop(by="jo", note="wrong prompts")
    facts = describe([job])[job.pk].facts
    assert (facts["by"], facts["note"]) == ("jo", "wrong prompts")
    running = Job.objects.processing()
    assert not running.exists()
    assert JobEvent.objects.filter(job=job, reason="stopped").count() == 0


@pytest.mark.workers
def test_celery_remote_control_steers_as_the_command_does(enqueue: Enqueue, owner: User, tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        stack.worker(concurrency=1)

        def control(*words: str) -> str:
            command = [str(BIN / "celery"), "-A", "config", "control", "--timeout", "5", *words]
            done = subprocess.run(command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=60)
            return done.stdout + done.stderr

        assert "still run" in control("drain_lane", LANE)
        assert Hold.objects.filter(scope="lane", key=LANE, set_by="celery control").exists()
        assert "goes on" in control("resume_lane", LANE)
        assert "is held" in control("hold_provider", "xai")
        assert "is held" in control("hold_owner", owner.username)
        assert "nobody called" in control("hold_owner", "nobody")
        assert set(Hold.objects.values_list("scope", "key")) == {("provider", "xai"), ("owner", str(owner.pk))}
        control("release_provider", "xai")
        control("release_owner", owner.username)
        assert not Hold.objects.exists()


def test_what_the_command_line_does_is_written_down_with_who_runs_it(enqueue: Enqueue) -> None:
    queue("stats")
    queue("redrive", "--dry-run")
    assert not AuditEntry.objects.exists()
    queue("pause", LANE, "--by", "ada", "--why", "tests")
    queue("release", "owner", enqueue().owner.username)
    paused, released = AuditEntry.objects.order_by("pk")
    assert (paused.actor, paused.via, paused.action, paused.subject) == (
        machine_user(), "command", "queue pause", LANE,
    )  # fmt: skip
    assert paused.detail == {"by": "ada", "why": "tests"}
    assert released.action == "queue release"


def test_a_token_of_the_command_line_is_written_down(owner: User) -> None:
    call_command("create_token", owner.username, stdout=StringIO())
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("make token", {"owner": owner.username})
