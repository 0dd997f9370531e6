"""Dispatch, init, events and health."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.accounts.audit import AuditEntry
from apps.core import database
from apps.core.broker import hints
from apps.jobs.models import Job, Worker
from apps.jobs.states import Status
from config.logs import refusals_in_one_line
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import JobFactory, StaffFactory, UserFactory

DISPATCH = ("/api/dispatch", "/api/cron/prompt-processor")
SECRET = "a long secret"


@pytest.fixture
def _secrets(settings: Any) -> None:
    settings.CRON_SECRETS = [SECRET, "the öld one"]


def bearing(authorization: str) -> Caller:
    caller = Caller()
    caller.headers = {"Authorization": authorization}
    return caller


@pytest.mark.usefixtures("_secrets", "db")
@pytest.mark.parametrize("path", DISPATCH)
@pytest.mark.parametrize("form", [SECRET, f"Bearer {SECRET}", f"bearer {SECRET}"])
def test_the_schedulers_secret_dispatches(path: str, form: str) -> None:
    job = JobFactory()
    Job.objects.filter(pk=job.pk).update(status=Status.SCHEDULED, run_after=timezone.now())
    counts = bearing(form)("POST", path).json()
    assert counts["promoted"] == 1
    assert set(counts) >= {"rescued", "untied", "woken"}


@pytest.mark.usefixtures("_secrets", "db")
@pytest.mark.parametrize("path", DISPATCH)
@pytest.mark.parametrize("form", ["", "Bearer", "Bearer ", "a long secre", f"Basic {SECRET}", "Bearer é", "\xe9"])
def test_anything_else_is_401(path: str, form: str) -> None:
    problem(bearing(form)("POST", path), 401, "not_authenticated")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("secrets", [[], [""]])
@pytest.mark.parametrize("form", ["", "Bearer ", "Bearer"])
def test_no_secret_set_lets_nobody_in(settings: Any, secrets: list[str], form: str) -> None:
    settings.CRON_SECRETS = secrets
    problem(bearing(form)("POST", "/api/dispatch"), 401, "not_authenticated")


@pytest.mark.usefixtures("_secrets", "db")
def test_the_secret_opens_nothing_else() -> None:
    problem(bearing(f"Bearer {SECRET}")("GET", "/api/jobs"), 401, "not_authenticated")


def test_staff_dispatch_by_session(db: None) -> None:
    assert Caller(user=StaffFactory())("POST", "/api/dispatch").status_code == 200


def checks() -> dict[str, dict[str, Any]]:
    """As staff see them."""
    body = caller_of(StaffFactory())("GET", "/api/init").json()
    found = {check["name"]: check for check in body["checks"]}
    assert list(found) == ["database", "redis", "workers", "beat", "storage", "keys", "providers"]
    assert body["ok"] == all(check["ok"] for check in found.values())
    return found


@pytest.mark.usefixtures("_secrets")
def test_init_tells_others_only_what_is_up(call: Caller) -> None:
    body = call("GET", "/api/init").json()
    assert set(body) == {"ok", "checks"}
    assert all(set(check) == {"name", "ok"} for check in body["checks"])
    assert "detail" in bearing(SECRET)("GET", "/api/init").json()["checks"][0]


@pytest.mark.usefixtures("db")
def test_init_says_what_is_down_and_what_to_do(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_KEYS, settings.SIMULATED = dict.fromkeys(settings.PROVIDER_KEYS, ""), []
    settings.MEDIA_ROOT = "/proc/no/such/place"
    PeriodicTask.objects.all().delete()
    monkeypatch.setattr(hints, "closed_until", float("inf"))
    seen = checks()
    down = {name for name, check in seen.items() if not check["ok"]}
    assert down == {"redis", "workers", "beat", "storage", "keys"}
    assert all(seen[name]["action"] for name in down)
    assert "XAI_API_KEY" in seen["keys"]["detail"]


def test_init_sees_what_is_up(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "closed_until", 0.0)
    settings.SIMULATED = ["xai", "wavespeed"]
    caller_of(StaffFactory())("POST", "/api/init")
    PeriodicTask.objects.filter(task="jobs.dispatch").update(last_run_at=timezone.now())
    now = timezone.now()
    Worker.objects.create(name="w1", lanes=["prompts", "images", "listings"], started_at=now, alive_at=now)
    assert {name for name, check in checks().items() if not check["ok"]} == set()
    Worker.objects.update(alive_at=now - timedelta(minutes=5))
    PeriodicTask.objects.filter(task="jobs.dispatch").update(last_run_at=now - timedelta(minutes=5))
    assert {name for name, check in checks().items() if not check["ok"]} == {"workers", "beat"}


def test_init_again_changes_nothing(db: None) -> None:
    PeriodicTask.objects.all().delete()
    staff = caller_of(StaffFactory())
    first, second = staff("POST", "/api/init").json(), staff("POST", "/api/init").json()
    assert first["scheduled"] == second["scheduled"] == PeriodicTask.objects.count() >= 2


def test_events_are_somewhere_else(call: Caller, settings: Any) -> None:
    settings.LIVE_URL = "https://live.example.com"
    response = call("GET", "/api/events?after=7%0d%0aX: y")
    assert response.status_code == 307
    assert response["Location"] == "https://live.example.com/api/events?after=7%0D%0AX%3A+y"
    settings.LIVE_URL = ""
    problem(call("GET", "/api/events"), 503, "live_away")


def test_health_tells_little(nobody: Caller, db: None) -> None:
    assert nobody("GET", "/health/live").json() == {"status": "ok"}
    assert nobody("GET", "/health/ready").json() == {"status": "ok"}
    assert nobody("POST", "/health/ready").status_code == 405


@pytest.mark.parametrize("host", ["10.1.2.3", "pod-7.internal:8000", "a b", ""])
def test_probes_answer_whatever_name_they_are_called_by(nobody: Caller, db: None, host: str) -> None:
    for path in ("/health/live", "/health/ready"):
        assert nobody("GET", path, Host=host).status_code == 200


def test_nothing_else_answers_to_a_wrong_name(call: Caller, nobody: Caller, db: None) -> None:
    problem(call("GET", "/api/jobs", Host="evil.example"), 400, "unknown_host")
    page = nobody("GET", "/signin", Host="evil.example")
    assert (page.status_code, page["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert "ALLOWED_HOSTS" in page.content.decode()
    assert nobody("GET", "/health/liveliness", Host="evil.example").status_code == 400


def test_what_is_refused_is_one_line_in_the_log(
    nobody: Caller, stranger: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can be refused as often as he likes. What broke on our side keeps its traceback."""
    person = UserFactory(is_staff=True)
    signed_in = Caller(user=person)
    with caplog.at_level("INFO"):
        nobody("GET", "/signin", Host="evil.example")
        signed_in("GET", "/admin/accounts/auditentry/1/change/")
        nobody("POST", "/signin")
        stranger("GET", "/api/jobs", Host="evil.example")
        logging.getLogger("django.request").warning("x", exc_info=ValueError(), extra={"status_code": 403})
        logging.getLogger("django.security.DisallowedHost").error(
            "x", exc_info=ValueError(), extra={"status_code": 400}
        )
    assert caplog.records
    assert [record for record in caplog.records if refusals_in_one_line(record) and record.exc_info] == []
    with caplog.at_level("INFO"):
        logging.getLogger("django.request").error("x", exc_info=ValueError(), extra={"status_code": 500})
    assert refusals_in_one_line(caplog.records[-1])
    assert caplog.records[-1].exc_info


def test_not_ready_while_nothing_can_be_written(nobody: Caller, transactional_db: None) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        assert nobody("GET", "/health/ready").status_code == 503
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
    assert nobody("GET", "/health/ready").status_code == 200


def test_not_ready_after_a_write_found_no_room(call: Caller, nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes what fits into the pages it has: the table plays one that has to grow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE disk_full USING MESSAGE = 'could not extend file'; END $$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON studio_workspace FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    monkeypatch.setattr(database, "_refused_at", float("-inf"))
    assert nobody("GET", "/health/ready").status_code == 200
    assert call("POST", "/api/workspaces", {"name": "Posters"}).status_code == 503
    assert nobody("GET", "/health/ready").status_code == 503
    monkeypatch.setattr(database, "REFUSED_SECONDS", 0.0)  # half a minute later
    assert nobody("GET", "/health/ready").status_code == 200


def test_not_ready_without_a_database(nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away, raising=False)
    response = nobody("GET", "/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})
    assert nobody("GET", "/health/live").status_code == 200


@pytest.mark.usefixtures("_secrets", "db")
def test_what_staff_make_the_desk_do_is_written_down_and_what_the_scheduler_does_is_not() -> None:
    for path in (*DISPATCH, "/api/init"):
        bearing(SECRET)("POST", path)
    assert not AuditEntry.objects.exists()
    staff = StaffFactory()
    for path in (*DISPATCH, "/api/init"):
        caller_of(staff)("POST", path)
    entries = AuditEntry.objects.order_by("pk")
    assert [(one.actor, one.via) for one in entries] == [(staff.username, "api")] * 3
    assert [one.action for one in entries] == ["dispatch", "dispatch", "make ready"]
