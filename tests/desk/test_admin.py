"""The admin over the queue: bounded questions, search by what has an index, and verbs that go through the services."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Hold, Job, Lane, Worker
from apps.jobs.services import retry_job
from apps.jobs.values import Failure
from apps.orders import leave
from apps.providers.errors import AuthFailed, PaymentRequired
from apps.providers.models import Breaker
from tests.factories import CallFactory, StaffFactory
from tests.jobs.conftest import LANE, claim

pytestmark = pytest.mark.django_db
Enqueue = Callable[..., Job]
JOBS = "/admin/jobs/job/"


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="a long password"))
    return client


@contextmanager
def statements() -> Iterator[list[str]]:
    asked: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield asked
    asked += [query["sql"] for query in captured.captured_queries if "jobs_job" in query["sql"]]


def failed(enqueue: Enqueue) -> Job:
    job = enqueue(subject="row:1")
    assert lifecycle.fail(claim(), Failure("broken", "It broke.", "Mend it."))
    return job


def found(admin: Client, **query: object) -> set[str]:
    page = admin.get(JOBS, query)
    assert page.status_code == 200
    return {str(job.uid) for job in page.context["cl"].result_list}


@pytest.mark.parametrize("query", [{}, {"status__exact": "queued"}, {"lane": LANE}, {"kind": "noop"}, {"q": "ada"}])
def test_the_list_counts_nothing_and_asks_a_few_questions(
    admin: Client, enqueue: Enqueue, query: dict[str, str]
) -> None:
    for _ in range(60):
        enqueue()
    with statements() as asked:
        page = admin.get(JOBS, query)
    assert page.status_code == 200
    assert len(page.context["cl"].result_list) == 50
    assert len(asked) <= 2, asked
    assert not [sql for sql in asked if "COUNT(" in sql.upper() or "DISTINCT" in sql.upper()]
    assert all("LIMIT 50" in sql for sql in asked)
    assert admin.get(JOBS, query | {"p": 2}).status_code == 200


def test_search_takes_id_number_subject_and_owner(admin: Client, enqueue: Enqueue, owner: User, other: User) -> None:
    job, another = enqueue(subject="row:7"), enqueue(owner_id=other.pk)
    for term in (str(job.uid), str(job.pk), "row:7", owner.username):
        assert found(admin, q=term) == {str(job.uid)}, term
    assert found(admin, q=other.username) == {str(another.uid)}
    assert found(admin, q="nobody") == found(admin, q="9" * 30) == set()


@pytest.mark.parametrize("term", ["{uid}", "{pk}", "row:7", "ada"])
def test_search_walks_an_index(enqueue: Enqueue, term: str) -> None:
    from apps.desk.admin import _exactly

    job = enqueue(subject="row:7")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    plan = Job.objects.filter(**_exactly(term.format(uid=job.uid, pk=job.pk))).order_by("-id")[:50].explain()
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_seqscan")
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_a_job_shows_its_tries_story_calls_and_chain(admin: Client, enqueue: Enqueue, owner: User) -> None:
    job = failed(enqueue)
    CallFactory(job_id=job.pk, cost_usd="0.0400")
    again = retry_job(user=owner, uid=job.uid)
    page = admin.get(f"{JOBS}{job.pk}/change/").content.decode()
    for shown in ("It broke.", "broken", "$0.04", "submit", str(again.uid), "tried again by"):
        assert shown in page, shown
    assert str(job.uid) in admin.get(f"{JOBS}{again.pk}/change/").content.decode()


def act(admin: Client, action: str, *jobs: Job) -> Any:
    return admin.post(JOBS, {"action": action, "_selected_action": [job.pk for job in jobs]}, follow=True)


def test_actions_go_through_the_services(admin: Client, enqueue: Enqueue) -> None:
    broken, waiting = failed(enqueue), enqueue()
    later = enqueue(run_after="2100-01-01T00:00:00Z")
    act(admin, "retry", broken)
    assert Job.objects.filter(retry_of=broken).count() == 1
    assert "tried again already" in act(admin, "retry", broken).content.decode()
    act(admin, "requeue", later)
    act(admin, "cancel", waiting)
    later.refresh_from_db()
    waiting.refresh_from_db()
    assert (later.status, waiting.status) == ("queued", "cancelled")


def test_jobs_cannot_be_edited_added_or_deleted(admin: Client, enqueue: Enqueue) -> None:
    job = enqueue()
    assert admin.post(f"{JOBS}{job.pk}/change/", {"status": "completed"}).status_code == 403
    assert admin.get(f"{JOBS}add/").status_code == 403
    assert admin.post(f"{JOBS}{job.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_without_the_right_may_look_but_not_act(enqueue: Enqueue) -> None:
    from django.contrib.auth.models import Permission

    staff = User.objects.create_user("sam", password="a long password", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_job"))
    client, job = Client(), enqueue()
    client.force_login(staff)
    assert client.get(JOBS).status_code == 200
    act(client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "queued"


def test_a_lanes_limits_can_be_changed(admin: Client, enqueue: Enqueue) -> None:
    enqueue()
    enqueue()
    assert lanes.limits_of(LANE).lane is None
    admin.post(f"/admin/jobs/lane/{LANE}/change/", {"limit": "1", "owner_limit": ""})
    assert Lane.objects.get(name=LANE).limit == 1
    assert claim()
    assert claim() is None


def test_a_deleted_hold_is_lifted(admin: Client, enqueue: Enqueue) -> None:
    enqueue()
    lanes.pause(LANE)
    admin.post(f"/admin/jobs/hold/{Hold.objects.get().pk}/delete/", {"post": "yes"})
    assert claim()


def test_a_deleted_hold_of_a_provider_closes_its_breakers_too(admin: Client) -> None:
    leave.end_for_job(PaymentRequired("wavespeed"))
    leave.report(provider="wavespeed", model="m", error=PaymentRequired("wavespeed"))
    page = admin.get("/admin/jobs/hold/").content.decode()
    assert "WaveSpeed has no credits left. Buy credits at WaveSpeed." in page
    admin.post(f"/admin/jobs/hold/{Hold.objects.get().pk}/delete/", {"post": "yes"})
    assert not Hold.objects.exists()
    assert Breaker.objects.get().state == "closed"


def test_a_breaker_is_released_by_whoever_may_lift_holds(admin: Client) -> None:
    leave.end_for_job(AuthFailed("xai"))
    leave.report(provider="xai", model="m", error=AuthFailed("xai"))
    asked = {"action": "release", "_selected_action": Breaker.objects.get().pk}
    looker = Client()
    looker.force_login(StaffFactory())
    looker.post("/admin/providers/breaker/", asked)
    assert Breaker.objects.get().state == "open", "to look is not to act"
    admin.post("/admin/providers/breaker/", asked)
    assert Breaker.objects.get().state == "closed"
    assert not Hold.objects.exists()


@pytest.mark.parametrize("page", ["attempt", "jobevent", "lane", "hold", "worker"])
def test_every_list_opens(admin: Client, enqueue: Enqueue, page: str) -> None:
    failed(enqueue)
    lanes.pause(LANE)
    Worker.objects.create(name="w1", lanes=[LANE], started_at=timezone.now(), alive_at=timezone.now())
    assert admin.get(f"/admin/jobs/{page}/").status_code == 200
