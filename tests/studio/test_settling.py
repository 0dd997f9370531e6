"""What a person says of an unknown outcome: its owner, or staff who may settle; once, and only when the job has given up."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.audit import AuditEntry
from apps.accounts.models import User
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.services import retry_job
from apps.orders.decisions import DECISIONS, settle_call
from apps.orders.reconcile import reconcile
from apps.providers.models import Call
from apps.providers.spending import spend
from apps.studio.models import GeneratedImage
from tests.factories import CallFactory, JobFactory, StaffFactory, UserFactory, finish
from tests.support.simulator import SimulatorProcess
from tests.support.stack import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "bytedance/seedream-v4.5/edit"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _provider(settings: Any, simulator: SimulatorProcess) -> None:
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"wavespeed": "simulator"}
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": simulator.wavespeed_base}
    settings.SIMULATED = ["wavespeed"]


@pytest.fixture
def call() -> Call:
    job = finish(JobFactory(), error="outcome_unknown")
    return CallFactory(owner=job.owner, job_id=job.pk, state="unknown", provider_id="", inputs={"prompt": "A shoe"})


def order(simulator: SimulatorProcess, *, model: str = MODEL) -> str:
    """A task at the provider that no call of ours knows."""
    from apps.providers.wavespeed.client import WavespeedClient
    from tests.factories import picture_bytes

    client = WavespeedClient("simulator", simulator.wavespeed_base)
    url = client.upload(picture_bytes(), filename="a.png", content_type="image/png")
    return client.submit(model=model, inputs={"prompt": "A shoe", "images": [url]}).id


def may_settle(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_call"))
    for cache in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(cache, None)


def owner_of(call: Call) -> User:
    assert call.owner is not None
    return call.owner


def test_an_adopted_task_is_fetched_and_kept_late(call: Call, simulator: SimulatorProcess) -> None:
    settled = settle_call(user=owner_of(call), call_id=call.pk, decision="adopt", prediction_id=order(simulator))
    assert settled.call.state == "accepted"
    wait_until(reconcile, seconds=10, what="the reconcile that fetches it")
    call.refresh_from_db()
    assert (call.state, call.late) == ("succeeded", True)
    assert GeneratedImage.objects.get(job_id=call.job_id).late


def test_what_never_arrived_is_lost_and_cost_nothing(call: Call) -> None:
    may_settle(owner_of(call))
    assert settle_call(user=owner_of(call), call_id=call.pk, decision="never_arrived").call.state == "lost"


@pytest.mark.parametrize("decision", ["never_arrived", "send_again"])
def test_the_spender_does_not_say_what_was_not_charged(call: Call, decision: str) -> None:
    """Nor can he free his budget of it: it counts as its estimate, though its job is over."""
    Call.objects.update(estimate_usd=Decimal("0.04"))
    owner, today = owner_of(call), datetime.now(UTC).date()
    with pytest.raises(Problem) as refused:
        settle_call(user=owner, call_id=call.pk, decision=decision)
    assert (refused.value.status, refused.value.code) == (403, "may_not_settle")
    call.refresh_from_db()
    assert (call.state, call.resent, Job.objects.count()) == ("unknown", False, 1)
    assert [line.cost for line in spend(owner_id=owner.pk, since=today, until=today, by="day")] == [Decimal("0.04")]
    may_settle(owner)
    settle_call(user=owner, call_id=call.pk, decision="never_arrived")
    assert [line.cost for line in spend(owner_id=owner.pk, since=today, until=today, by="day")] == [Decimal(0)]


def test_a_retry_looks_for_the_order_and_buys_none(call: Call, simulator: SimulatorProcess) -> None:
    """What the owner may do himself: the order goes with the retry."""
    again = retry_job(user=owner_of(call), uid=Job.objects.get(pk=call.job_id).uid)
    call.refresh_from_db()
    assert (call.state, call.job_id) == ("unknown", again.pk)


def test_staff_who_may_settle_everybodys_through_the_api(call: Call) -> None:
    staff = StaffFactory()
    client = Client()
    client.force_login(staff)
    path, said = f"/api/calls/{call.pk}/settle", {"decision": "never_arrived"}
    assert client.post(path, said, content_type="application/json").status_code == 404
    may_settle(staff)
    assert client.post(path, said, content_type="application/json").json()["state"] == "lost"


def test_sent_again_is_a_new_job_and_stays_flagged(call: Call) -> None:
    may_settle(owner_of(call))
    settled = settle_call(user=owner_of(call), call_id=call.pk, decision="send_again")
    assert settled.job is not None
    assert settled.job.retry_of_id == call.job_id
    call.refresh_from_db()
    assert (call.state, call.resent) == ("unknown", True)
    with pytest.raises(Problem, match="settled"):
        settle_call(user=owner_of(call), call_id=call.pk, decision="send_again")
    assert Job.objects.filter(retry_of=call.job_id).count() == 1


@pytest.mark.parametrize(("task", "code"), [("", "invalid"), ("no-such-task", "invalid")])
def test_a_task_that_is_none_is_refused(call: Call, task: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        settle_call(user=owner_of(call), call_id=call.pk, decision="adopt", prediction_id=task)
    assert (refused.value.status, refused.value.code) == (422, code)


def test_a_task_of_another_call_is_not_given_away(call: Call, simulator: SimulatorProcess) -> None:
    task = order(simulator)
    CallFactory(owner=owner_of(call), provider_id=task)
    with pytest.raises(Problem) as refused:
        settle_call(user=owner_of(call), call_id=call.pk, decision="adopt", prediction_id=task)
    assert refused.value.code == "already_owned"


@pytest.mark.parametrize("somebody", [UserFactory, StaffFactory])
def test_strangers_learn_nothing(call: Call, somebody: type[UserFactory]) -> None:
    with pytest.raises(Problem) as refused:
        settle_call(user=somebody(), call_id=call.pk, decision="never_arrived")
    assert refused.value.status == 404


def test_a_job_that_still_looks_is_left_alone() -> None:
    job = JobFactory()
    may_settle(job.owner)
    call = CallFactory(owner=job.owner, job_id=job.pk, state="unknown")
    with pytest.raises(Problem) as refused:
        settle_call(user=job.owner, call_id=call.pk, decision="never_arrived")
    assert refused.value.code == "still_looking"


def test_staff_who_may_only_look_settle_nothing(call: Call) -> None:
    client = Client()
    client.force_login(StaffFactory())
    page = f"/admin/providers/call/{call.pk}/settle/"
    for decision in DECISIONS:
        assert client.post(page, {"decision": decision, "prediction_id": ""}).status_code == 403
    call.refresh_from_db()
    assert (call.state, call.resent) == ("unknown", False)
    assert not AuditEntry.objects.exists()


def test_staff_settle_in_the_admin(call: Call) -> None:
    client, root = Client(), StaffFactory(is_superuser=True)
    client.force_login(root)
    page = f"/admin/providers/call/{call.pk}/settle/"
    assert b"never arrived" in client.get(page, follow=True).content
    assert client.post(page, {"decision": "never_arrived", "prediction_id": ""}, follow=True).status_code == 200
    call.refresh_from_db()
    assert call.state == "lost"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (root.username, "settle call", str(call.pk))
    assert entry.detail["decision"] == "never_arrived"
