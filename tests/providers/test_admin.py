"""The admin of the ledger: to look at, quick whatever the size."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.providers.models import Breaker, Call, Place, Upload

pytestmark = pytest.mark.django_db

CALLS = "/admin/providers/call/"
NOW = datetime.now(UTC)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "correct horse"))
    return client


@pytest.fixture
def many() -> list[Call]:
    return Call.objects.bulk_create(
        Call(job_id=n, provider="wavespeed", purpose="submit", model_asked="m", provider_id=f"task-{n}",
             created_at=NOW + timedelta(seconds=n))
        for n in range(1200)
    )  # fmt: skip


def shown(client: Client, query: str) -> list[Call]:
    reply = client.get(f"{CALLS}?q={query}")
    assert reply.status_code == 200
    return list(reply.context["cl"].result_list)


def test_calls_are_found_by_job_call_and_provider_id(staff: Client, many: list[Call]) -> None:
    for query in ("77", "task-77", str(many[77].pk)):
        assert shown(staff, query) == [many[77]]
    for query in ("9" * 40, "no-such", "٧٧"):
        assert shown(staff, query) == []


def test_the_list_never_counts_the_table(staff: Client, many: list[Call]) -> None:
    staff.get(CALLS)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reply = staff.get(CALLS)

    assert reply.context["cl"].result_count == 1000
    about_calls = [query["sql"] for query in queries if '"providers_call"' in query["sql"]]
    assert about_calls
    assert all("LIMIT" in sql for sql in about_calls)
    assert len(queries) < 12


@pytest.mark.parametrize("field", ["state__exact=unknown", "resent__exact=1", "late__exact=1", "provider=xai"])
def test_filters(staff: Client, many: list[Call], field: str) -> None:
    name, value = field.replace("__exact", "").split("=")
    wanted = Call.objects.filter(pk=many[3].pk)
    wanted.update(**{name: value})
    reply = staff.get(f"{CALLS}?{field}")
    assert [call.pk for call in reply.context["cl"].result_list] == [many[3].pk]


def test_nothing_can_be_changed(staff: Client, many: list[Call]) -> None:
    call = f"{CALLS}{many[0].pk}/"
    assert staff.get(f"{call}change/").status_code == 200
    assert staff.post(f"{call}change/", {"state": "failed"}).status_code == 403
    assert staff.post(f"{call}delete/", {"post": "yes"}).status_code == 403
    assert staff.get(f"{CALLS}add/").status_code == 403


def test_the_other_tables_can_be_looked_at(staff: Client) -> None:
    Breaker.objects.create(provider="xai", model="m", window_started_at=NOW)
    Place.objects.create(provider="xai", kind="call", number=0, free_at=NOW)
    Upload.objects.create(base="b", digest="d", url="u", created_at=NOW)
    for name in ("breaker", "place", "upload"):
        assert len(staff.get(f"/admin/providers/{name}/").context["cl"].result_list) == 1
