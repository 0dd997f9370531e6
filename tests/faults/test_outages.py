"""F9–F15, F27, F34 by real servers: Redis and PostgreSQL are killed, emptied, hung, full and cut off."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import redis
import requests
from django.conf import settings
from django.db import connection

from apps.accounts.models import User, create_token
from apps.jobs import lanes
from apps.jobs.models import Attempt, Job
from apps.launch.testing import EmbeddedServers
from apps.studio.models import Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack
from tests.faults.cutting import CuttingProxy
from tests.support.stack import wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

CUTS = 40


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultStack]:
    """With the web, and the tick as slow as it is outside of tests."""
    stack = FaultStack(tmp_path_factory.mktemp("outages"), PRESSROOM_DISPATCH_SECONDS="2")
    try:
        with django_db_blocker.unblock():
            stack.clock()
            stack.worker()
            stack.web()
            yield stack
    finally:
        stack.stop()


class Visitor:
    """Somebody with a token, over HTTP."""

    def __init__(self, stack: FaultStack, user: User) -> None:
        self.url = stack.url
        self.headers = {"Authorization": f"Bearer {create_token(user=user, name='tests', scopes=['read', 'write'])[1]}"}

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, self.url + path, json=body, headers=self.headers, timeout=20)

    def create(self, row_id: object) -> int:
        return self.ask("POST", "/api/jobs/create", {"rowId": str(row_id), "useAiPrompt": False}).status_code


@pytest.fixture
def visitor(stack: FaultStack, owner: User) -> Visitor:
    return Visitor(stack, owner)


@contextmanager
def killed(servers: EmbeddedServers) -> Iterator[None]:
    """And started again empty."""
    servers.redis.kill()
    yield
    for file in Path(servers.redis.program.command[servers.redis.program.command.index("--dir") + 1]).glob("*.aof*"):
        file.unlink()
    servers.redis.start()


@contextmanager
def hung(servers: EmbeddedServers) -> Iterator[None]:
    os.kill(servers.redis.pid, signal.SIGSTOP)
    yield
    os.kill(servers.redis.pid, signal.SIGCONT)


@contextmanager
def full(servers: EmbeddedServers) -> Iterator[None]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


@contextmanager
def emptied(servers: EmbeddedServers) -> Iterator[None]:
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    yield


@pytest.mark.parametrize("outage", [killed, hung, full, emptied])
def test_without_redis_work_is_taken_and_goes_on_when_it_is_back(
    stack: FaultStack,
    servers: EmbeddedServers,
    workspace: Workspace,
    visitor: Visitor,
    outage: Callable[[EmbeddedServers], Any],
) -> None:
    rows = scene.rows_in(workspace, 4)
    with outage(servers):
        assert [visitor.create(row.pk) for row in rows] == [201] * 4  # while it is out
        shown = visitor.ask("GET", "/api/jobs?status=queued")
        assert shown.status_code == 200
        if outage in (killed, hung):
            reasons = {job["waitingReason"] for job in shown.json()["results"]}
            assert "no_worker" in reasons
            assert reasons <= {"no_worker", "", "lane_limit"}, shown.json()
    jobs = list(Job.objects.all())
    assert scene.wait_for(jobs, seconds=90) == {"completed": 4}, scene.errors()


def test_without_postgresql_requests_are_told_when_to_come_back_and_workers_wait(
    stack: FaultStack, servers: EmbeddedServers, workspace: Workspace, visitor: Visitor
) -> None:
    rows = scene.rows_in(workspace, 6)
    jobs = [scene.generate(row, ai=True).jobs[0] for row in rows]
    wait_until(lambda: Job.objects.processing().exists(), what="work under way")
    servers.postgres.kill()
    connection.close()
    for method, path in (("GET", "/api/jobs"), ("GET", "/api/prompt/queue"), ("POST", "/api/jobs/create")):
        reply = visitor.ask(method, path, {"rowId": str(rows[0].pk)} if method == "POST" else None)
        assert (reply.status_code, reply.headers.get("Retry-After")) == (503, "5"), (path, reply.text[:300])
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.json()["code"] == "database_away"
    page = requests.get(f"{stack.url}/signin", timeout=20)
    assert page.status_code in (200, 503)
    servers.postgres.start()
    assert scene.wait_for([*jobs, *Job.objects.filter(kind="prompt")], seconds=90) == {"completed": 12}, scene.errors()
    assert all(process.poll() is None for process in stack.processes.values()), "nobody had to be restarted"
    assert visitor.ask("GET", "/api/jobs").status_code == 200


def test_connections_that_are_ended_at_any_moment_cost_no_job_and_no_try(
    stack: FaultStack, workspace: Workspace
) -> None:
    """Five times a second the server ends one of the workers' sessions, wherever it is."""
    jobs = [scene.generate(row).jobs[0] for row in scene.rows_in(workspace, 12)]
    stop, ended = threading.Event(), []
    own = connection.connection.info.backend_pid
    killer = threading.Thread(target=_end_sessions, args=(own, stop, ended), daemon=True)
    killer.start()
    try:
        killer.join(60)
        assert scene.wait_for(jobs, seconds=90) == {"completed": 12}, scene.errors()
    finally:
        stop.set()
        killer.join(10)
    assert len(ended) == CUTS
    assert not Attempt.objects.filter(outcome="retry").exists(), "no try was used up"
    assert invariants.check(stack.simulator.ledger()).images_bought_twice == 0


def _end_sessions(own: int, stop: threading.Event, ended: list[int]) -> None:
    end_one = """
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND application_name = 'pressroom' AND pid <> %s ORDER BY random() LIMIT 1"""
    with psycopg.connect(database_url(), autocommit=True, application_name="killer") as session:
        while len(ended) < CUTS and not stop.wait(0.2):
            found = session.execute(end_one, [own]).fetchone()
            if found:
                session.execute("SELECT pg_terminate_backend(%s)", found)
                ended.append(found[0])


def database_url(host: str = "") -> str:
    given = connection.settings_dict
    return f"postgresql://{given['USER']}@/{given['NAME']}?host={host or given['HOST']}"


def test_a_commit_whose_answer_is_never_heard_is_applied_once(
    stack: FaultStack, workspace: Workspace, short_folder: Path
) -> None:
    """Workers reach the database through a proxy that cuts COMMITs, before or after they took effect.

    One in six: a claim whose answer is lost counts as a crash of its job, and three of those in a row would end it.
    """
    lanes.pause("images")
    jobs = [scene.generate(row).jobs[0] for row in scene.rows_in(workspace, 12)]
    server = Path(parse_qs(urlsplit(stack.environment["DATABASE_URL"]).query)["host"][0])
    proxy = CuttingProxy(short_folder, server, one_in=6)
    straight = stack.environment["DATABASE_URL"]
    stack.kill("worker", signal.SIGTERM)
    grace = stack.environment["PRESSROOM_UNKNOWN_GRACE_SECONDS"]
    stack.environment["DATABASE_URL"] = database_url(str(short_folder))
    stack.environment["PRESSROOM_UNKNOWN_GRACE_SECONDS"] = "60"  # what a lost look found is looked for again
    try:
        stack.worker("cut")
        lanes.resume("images")
        assert scene.wait_for(jobs, seconds=120) == {"completed": 12}, scene.errors()
    finally:
        stack.environment["DATABASE_URL"] = straight
        stack.environment["PRESSROOM_UNKNOWN_GRACE_SECONDS"] = grace
        stack.kill("cut")
        proxy.close()
        stack.worker()
    assert min(proxy.cuts.values()) >= 1, proxy.cuts
    figures = invariants.check(stack.simulator.ledger())
    assert (figures.double_completions, figures.images_bought, figures.images_bought_twice) == (0, 12, 0)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A unix socket's path has a hundred characters at most."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="cut-") as folder:
        yield Path(folder)


def test_no_room_on_the_disk_leaves_no_half_file_and_the_picture_comes_later(
    stack: FaultStack, workspace: Workspace
) -> None:
    """The media folder cannot be written while the image is fetched: a file stands where its directory should be."""
    from apps.studio.models import GeneratedImage

    media = Path(stack.environment["PRESSROOM_MEDIA_ROOT"])
    row = scene.rows_in(workspace, 1)[0]
    for name in ("images", "thumbnails"):
        _set_aside(media / name)
    job = scene.generate(row).jobs[0]
    waiting = Job.objects.filter(pk=job.pk, stage="saving", wake_at__isnull=False)
    wait_until(lambda: stack.said("worker", "storage_failed") and waiting.exists(), seconds=60, what="no room")
    assert not GeneratedImage.objects.exists()
    for name in ("images", "thumbnails"):
        _put_back(media / name)
    assert scene.wait_for([job], seconds=60) == {"completed": 1}, scene.errors()
    assert invariants.check(stack.simulator.ledger()).images_bought == 1
    assert not Attempt.objects.exclude(outcome="completed").exists(), "no try was used up"


def _set_aside(folder: Path) -> None:
    if folder.exists():
        folder.rename(folder.with_suffix(".aside"))
    folder.write_text("in the way")


def _put_back(folder: Path) -> None:
    folder.unlink()
    if folder.with_suffix(".aside").exists():
        folder.with_suffix(".aside").rename(folder)
