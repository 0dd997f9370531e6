"""The same request again gets the same answer, and the work is made once: at once, after a crash, after a day."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.api import idempotency
from apps.api.idempotency import Claim, keyed
from apps.api.jobs import jobs as jobs_resource
from apps.api.models import IdempotencyKey
from apps.api.studio import workspaces as workspaces_resource
from apps.jobs.models import Job
from apps.jobs.services import cancel_job
from apps.studio import services
from apps.studio.models import Row, Workspace
from apps.studio.services import generate_images
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import AssetFactory, RowFactory, UserFactory

BODY = {"name": "Shoes"}
PATH = "/api/workspaces"


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def post(call: Caller, key: str, body: Any = BODY, path: str = PATH) -> Any:
    return call("POST", path, body, Idempotency_Key=key)


def test_a_repeat_gets_the_first_answer(call: Caller, key: str) -> None:
    first, second = post(call, key), post(call, key)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Workspace.objects.count() == 1


def test_a_repeat_by_a_browser_too(owner: User, key: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    browser.cookies["csrftoken"] = "a" * 32
    headers = {"X-CSRFToken": "a" * 32, "Idempotency-Key": key}
    first, second = (browser.post(PATH, BODY, content_type="application/json", headers=headers) for _ in range(2))
    assert first.status_code == 201
    assert (second.content, second["Idempotent-Replayed"]) == (first.content, "true")


def test_a_form_with_a_key_is_of_another_type(owner: User, key: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    browser.cookies["csrftoken"] = "a" * 32
    form = {"name": "Shoes", "csrfmiddlewaretoken": "a" * 32}
    problem(browser.post(PATH, form, headers={"Idempotency-Key": key}), 415, "unsupported_media_type")


def test_the_same_key_with_another_body_is_refused(call: Caller, key: str) -> None:
    post(call, key)
    problem(post(call, key, {"name": "Boots"}), 422, "idempotency_key_reused")
    assert Workspace.objects.count() == 1


def test_the_order_of_the_names_and_the_spaces_do_not_matter(call: Caller, key: str) -> None:
    first = post(call, key, b'{"name": "Shoes", "outputWidth": 2048}')
    second = post(call, key, b'{"outputWidth":2048,\n"name":"Shoes"}')
    assert second["Idempotent-Replayed"] == "true"
    assert second.content == first.content


def test_the_order_of_a_list_does(call: Caller, key: str) -> None:
    urls = ["https://pictures.example/a.jpg", "https://pictures.example/b.jpg"]
    assert post(call, key, {"name": "Shoes", "defaultRefUrls": urls}).status_code == 201
    problem(post(call, key, {"name": "Shoes", "defaultRefUrls": urls[::-1]}), 422, "idempotency_key_reused")


def test_keys_are_forgotten_after_a_day_and_never_while_they_are_held(call: Caller, key: str) -> None:
    for name in ("old", "held", "young"):
        post(call, name)
    past, soon = timezone.now() - timedelta(hours=25), timezone.now() + timedelta(seconds=30)
    IdempotencyKey.objects.filter(key="old").update(created_at=past, lease_until=past)
    IdempotencyKey.objects.filter(key="held").update(created_at=past, lease_until=soon)
    current_app.loader.import_default_modules()  # as a worker does when it starts
    assert current_app.tasks["api.sweep"]() == 1
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"held", "young"}


def test_the_sweep_is_on_the_schedule() -> None:
    assert [periodic.queue for periodic in settings.SCHEDULE if periodic.task == "api.sweep"] == ["dispatch"]


def test_the_same_key_of_another_user_or_route_is_another_key(call: Caller, stranger: Caller, key: str) -> None:
    made = post(call, key).json()
    assert post(stranger, key).json()["id"] != made["id"]
    assert post(call, key, {"label": "a"}, f"{PATH}/{made['id']}/rows").status_code == 201


def test_the_same_key_for_another_thing_of_the_route_is_refused(call: Caller, owner: User, key: str) -> None:
    one, other = RowFactory(workspace__owner=owner).workspace, RowFactory(workspace__owner=owner).workspace
    assert post(call, key, {}, f"{PATH}/{one.pk}/rows").status_code == 201
    problem(post(call, key, {}, f"{PATH}/{other.pk}/rows"), 422, "idempotency_key_reused")


def test_what_did_not_fit_is_not_stored(call: Caller, key: str) -> None:
    problem(post(call, key, {"name": 5}), 422, "invalid")
    assert not IdempotencyKey.objects.exists()
    assert post(call, key).status_code == 201


def test_after_a_day_the_key_is_new(call: Caller, key: str) -> None:
    post(call, key)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Idempotent-Replayed" not in post(call, key, {"name": "Boots"})
    assert Workspace.objects.count() == 2


@pytest.mark.parametrize("wrong", ["", " ", "a" * 256])
def test_a_key_must_be_one(call: Caller, wrong: str) -> None:
    problem(post(call, wrong), 400, "idempotency_key_invalid")


def _unfinished(owner: User, key: str, *, lease: timedelta) -> IdempotencyKey:
    """What a request leaves that is running, or that died: made by a real request, its answer taken back."""
    post(caller_of(owner), key)
    Workspace.objects.all().delete()
    IdempotencyKey.objects.update(status=None, body=b"", lease_until=timezone.now() + lease)
    return IdempotencyKey.objects.get()


def test_while_the_first_runs_a_repeat_is_told_to_wait(call: Caller, owner: User, key: str) -> None:
    _unfinished(owner, key, lease=timedelta(seconds=30))
    response = post(call, key)
    problem(response, 409, "idempotency_in_progress")
    assert response["Retry-After"] == "1"


def test_a_request_that_died_is_retried_after_its_lease(call: Caller, owner: User, key: str) -> None:
    _unfinished(owner, key, lease=timedelta(seconds=-1))
    problem(post(call, key, {"name": "Boots"}), 422, "idempotency_key_reused")
    assert post(call, key).status_code == 201
    assert post(call, key)["Idempotent-Replayed"] == "true"
    assert Workspace.objects.count() == 1


def _row(owner: User) -> Row:
    target = f"/media/assets/{AssetFactory(owner=owner).pk}"
    return RowFactory(workspace__owner=owner, target_url=target, prompt_override="A shoe on warm sand")


def _generate(owner: User, row: Row, key: str) -> Any:
    body = {"rowId": str(row.pk), "useAiPrompt": False, "count": 2}
    return post(caller_of(owner), key, body, "/api/jobs/create")


def test_a_holder_that_lost_its_key_makes_nothing(owner: User, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease ran out while it fetched pictures, and a repeat took over."""

    def slow(*, within: Callable[[Any], object], **asked: Any) -> Any:
        IdempotencyKey.objects.update(holder=uuid.uuid4())
        return generate_images(within=within, **asked)

    monkeypatch.setattr(jobs_resource, "generate_images", slow)
    problem(_generate(owner, _row(owner), key), 409, "idempotency_in_progress")
    assert not Job.objects.exists()


def test_a_crash_before_the_commit_leaves_no_work(owner: User, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_given: Any) -> None:
        raise RuntimeError("killed")

    row = _row(owner)
    with monkeypatch.context() as patch:
        patch.setattr(services, "set_money_aside", dies)
        assert _generate(owner, row, key).status_code == 500
    assert not Job.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert _generate(owner, row, key).status_code == 201
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_commit_and_the_answer_makes_nothing_twice(
    owner: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeat answers about the jobs that are there: also with another holder, and also a retry of a job."""

    def dies(_made: Any) -> None:
        raise RuntimeError("killed")

    row = _row(owner)
    with monkeypatch.context() as patch:
        patch.setattr(jobs_resource, "created_jobs_shown", dies)
        assert _generate(owner, row, key).status_code == 500
    made = set(Job.objects.values_list("uid", flat=True))
    assert len(made) == 2
    again = _generate(owner, row, key)
    assert again.status_code == 201
    assert {job["jobId"] for job in again.json()["jobs"]} == {str(uid) for uid in made}
    assert _generate(owner, row, key)["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 2
    failed = Job.objects.first()
    cancel_job(user=owner, uid=failed.uid)  # type: ignore[union-attr]
    path = f"/api/jobs/{failed.uid}/retry"  # type: ignore[union-attr]
    with monkeypatch.context() as patch:
        patch.setattr(jobs_resource, "job_shown", dies)
        assert post(caller_of(owner), "retry", {}, path).status_code == 500
    answer = post(caller_of(owner), "retry", {}, path)
    assert (answer.status_code, answer.json()["retriedFrom"]) == (201, str(failed.uid))  # type: ignore[union-attr]
    assert Job.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_request_that_was_killed_after_its_commit_is_answered_after_its_lease(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends the session right after the jobs were committed: nothing more is written for that request."""
    owner = UserFactory()
    row = _row(owner)

    def dies(_made: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(jobs_resource, "created_jobs_shown", dies)
        patch.setattr(Claim, "release", lambda claim: None)
        assert _generate(owner, row, key).status_code == 503
    connection.close()
    assert Job.objects.count() == 2
    problem(_generate(owner, row, key), 409, "idempotency_in_progress")
    IdempotencyKey.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert _generate(owner, row, key).status_code == 201
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_went_wrong_first_is_told_when_the_key_cannot_be_freed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away for the work and for the release alike: the caller hears of the work."""
    claim = Claim({"user_id": 1, "route": "r", "key": key}, uuid.uuid4())

    def away(*_given: Any) -> Any:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(Claim, "_mine", away)
    claim.release()
    create = keyed(lambda _view, _request, _claim: 1 / 0)
    monkeypatch.setattr(idempotency, "claim_key", lambda _request: claim)
    with pytest.raises(ZeroDivisionError):
        create(None, None)


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_built_outside_the_work(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits behind the quota's and the budgets' locks while we ask Redis how the lanes stand."""
    owner = UserFactory()
    held: list[int] = []
    shown = jobs_resource.created_jobs_shown

    def looks(made: list[int]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            held.append(cursor.fetchone()[0])
        return shown(made)

    monkeypatch.setattr(jobs_resource, "created_jobs_shown", looks)
    assert _generate(owner, _row(owner), key).status_code == 201
    assert held == [0]


def at_once(requests: list[Callable[[], Any]]) -> list[Any]:
    """All of them from threads of their own, let go together."""
    start = threading.Barrier(len(requests))

    def run(send: Callable[[], Any]) -> Any:
        start.wait(timeout=30)
        try:
            return send()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(run, requests))


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_the_work_once(key: str) -> None:
    owner = UserFactory()
    row = _row(owner)
    callers = [caller_of(owner) for _ in range(8)]
    body = {"rowId": str(row.pk), "useAiPrompt": False, "count": 2}
    answers = at_once([lambda c=c: post(c, key, body, "/api/jobs/create") for c in callers])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    assert Job.objects.count() == 2
    assert _generate(owner, row, key).content == bodies.pop()


@pytest.mark.django_db(transaction=True)
def test_a_repeat_during_the_work_waits_for_its_answer(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has claimed the key and is held inside its work; the second comes then."""
    owner = UserFactory()
    inside, go_on = threading.Event(), threading.Event()
    create = workspaces_resource.create_workspace

    def held(**fields: Any) -> Any:
        inside.set()
        assert go_on.wait(timeout=30)
        return create(**fields)

    monkeypatch.setattr(workspaces_resource, "create_workspace", held)

    def second() -> Any:
        assert inside.wait(timeout=30)
        try:
            return post(caller_of(owner), key)
        finally:
            go_on.set()

    first_answer, second_answer = at_once([lambda: post(caller_of(owner), key), second])
    assert first_answer.status_code == 201
    problem(second_answer, 409, "idempotency_in_progress")
    assert Workspace.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_repeats_of_a_dead_request_take_over_once(key: str) -> None:
    owner = UserFactory()
    _unfinished(owner, key, lease=timedelta(seconds=-1))
    answers = at_once([lambda c=c: post(c, key) for c in [caller_of(owner) for _ in range(6)]])  # type: ignore[misc]
    assert Workspace.objects.count() == 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
