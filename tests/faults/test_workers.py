"""F5, F12, F13, F18–F20, F28, F32, F33: whole workers, beat and messages go wrong while work is under way."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.conf import settings
from django_celery_beat.models import PeriodicTask

from apps.core import broker
from apps.jobs.models import Attempt, Job
from apps.jobs.schedule import ensure_schedule
from apps.studio.models import Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack
from tests.support.stack import wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def under_way(workspace: Workspace, count: int) -> list[Job]:
    jobs = [scene.generate(row).jobs[0] for row in scene.rows_in(workspace, count)]
    wait_until(lambda: Attempt.objects.exists() or Job.objects.processing().exists(), what="work under way")
    return jobs


def test_a_worker_killed_with_all_its_children_loses_nothing(stack: FaultStack, workspace: Workspace) -> None:
    jobs = under_way(workspace, 8)
    stack.kill("worker")
    stack.worker()
    assert scene.wait_for(jobs, seconds=90) == {"completed": 8}, scene.errors()
    assert invariants.check(stack.simulator.ledger()).images_bought_twice == 0


def test_workers_are_replaced_one_after_the_other_and_no_attempt_is_lost(
    stack: FaultStack, workspace: Workspace
) -> None:
    """A rolling deployment: TERM for each while the next is there already. What runs is finished or handed back."""
    jobs = under_way(workspace, 10)
    stack.worker("second")
    stack.kill("worker", signal.SIGTERM)
    jobs += under_way(workspace, 6)
    stack.worker()
    stack.kill("second", signal.SIGTERM)
    assert scene.wait_for(jobs, seconds=90) == {"completed": 16}, scene.errors()
    assert set(Attempt.objects.values_list("outcome", flat=True)) <= {"completed", "interrupted"}
    assert set(Job.objects.values_list("crashes", "failures")) == {(0, 0)}


def test_term_and_then_kill_is_recovered_by_the_lease(stack: FaultStack, workspace: Workspace) -> None:
    job = scene.generate(scene.rows_in(workspace, 1)[0]).jobs[0]
    stack.arm_for(job, "before_submit", "hang:60")
    stack.wait_used("before_submit", job)
    worker = stack.processes["worker"]
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: stack.said("worker", "Warm shutdown"), what="the shutdown")
    stack.kill("worker")
    stack.worker()
    assert scene.wait_for([job], seconds=90) == {"completed": 1}, scene.errors()
    assert invariants.check(stack.simulator.ledger()).images_bought == 1


def test_messages_that_are_lost_doubled_stale_or_wrong_change_nothing(
    stack: FaultStack, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What presses the button sends no wake-up at all; others send hundreds, and nonsense."""
    monkeypatch.setattr(broker.hints, "attempt", lambda send: None)
    jobs = [scene.generate(row).jobs[0] for row in scene.rows_in(workspace, 4)]
    for _ in range(100):
        current_app.send_task("jobs.work", args=["images"], queue="images")
    current_app.send_task("jobs.work", args=["images"], kwargs={"job": 7}, queue="images")
    current_app.send_task("jobs.work", args=["no such lane"], queue="images")
    current_app.send_task("jobs.no_such_task", queue="images")
    redis.Redis.from_url(settings.REDIS_URL).lpush("images", json.dumps({"not": "a message"}))
    assert scene.wait_for(jobs, seconds=60) == {"completed": 4}, scene.errors()
    assert invariants.check(stack.simulator.ledger()).images_bought == 4
    wait_until(lambda: stack.processes["worker"].poll() is None, what="the worker, alive")


def test_without_beat_the_scheduler_outside_does_and_two_beats_do_no_harm(
    stack: FaultStack, workspace: Workspace
) -> None:
    from apps.jobs.dispatch import dispatch

    stack.kill("beat")
    job = scene.generate(scene.rows_in(workspace, 1)[0]).jobs[0]
    stack.arm_for(job, "after_claim", "kill")
    stack.wait_used("after_claim", job)
    wait_until(lambda: dispatch()["rescued"], what="a rescue by POST /api/dispatch, which calls this")
    assert scene.wait_for([job], seconds=60) == {"completed": 1}
    PeriodicTask.objects.all().delete()  # its memory is lost
    ensure_schedule()
    for name in ("beat", "beat2"):
        stack.start(name, "celery", "-A", "config", "beat", "--pidfile=")
    jobs = under_way(workspace, 4)
    assert scene.wait_for(jobs, seconds=60) == {"completed": 4}
    stack.kill("beat2")


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler for a clock of its own")
def test_a_worker_whose_clock_is_an_hour_ahead_works_and_rescues_nobody_early(
    stack: FaultStack, workspace: Workspace, folder: Path
) -> None:
    clock = folder / "hour.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(clock), "-xc", "-"], input=HOUR_AHEAD, text=True, check=True)
    stack.kill("worker", signal.SIGTERM)
    stack.environment["LD_PRELOAD"] = str(clock)
    try:
        stack.worker("hour")
        jobs = [scene.generate(row, ai=True).jobs[0] for row in scene.rows_in(workspace, 3)]
        assert scene.wait_for(jobs, seconds=60) == {"completed": 3}, scene.errors()
        assert not Attempt.objects.exclude(outcome="completed").exists()
    finally:
        stack.environment.pop("LD_PRELOAD")
        stack.kill("hour")
        stack.worker()


HOUR_AHEAD = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(id, at);
  if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += 3600;
  return failed;
}
int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000; return 0;
}
time_t time(time_t *at) {
  struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
"""
