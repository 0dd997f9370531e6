"""Budgets against a real PostgreSQL: what is set aside, what counts, who has to wait."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Budget, User
from apps.providers import calls, spending
from apps.providers.errors import ContentRefused, Overloaded, TransientNetwork
from apps.providers.models import Call, Earmark, Spend
from apps.providers.spending import Wanted
from tests.factories import CallFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
IMAGE = Decimal("0.04")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def owner() -> User:
    return UserFactory()


def want(owner: User, job_id: int, *, provider: str = "wavespeed", amount: Decimal = IMAGE) -> Wanted:
    return Wanted(job_id, owner.pk, provider, amount)


def set_aside(*wanted: Wanted) -> list[int]:
    """The jobs that no budget has enough left for."""
    with transaction.atomic():
        return sorted(spending.set_aside(wanted))


def budget(amount: str, *, owner: User | None = None, provider: str = "", period: str = "day") -> Budget:
    return Budget.objects.create(owner=owner, provider=provider, period=period, amount_usd=Decimal(amount))


def begin(owner: User, job_id: int = 1, *, estimate: Decimal | None = IMAGE) -> calls.Call:
    return calls.begin(
        job_id=job_id, attempt=1, owner_id=owner.pk, provider="wavespeed", purpose="submit", model="m", inputs={},
        product="studio", estimate_usd=estimate,
    )  # fmt: skip


def test_without_a_budget_nothing_waits_and_everything_is_shown_as_held(owner: User) -> None:
    assert set_aside(want(owner, 1), want(owner, 2)) == []
    assert sum(Earmark.objects.values_list("held_usd", flat=True)) == Decimal("0.08")


def test_a_batch_is_covered_in_its_order_as_far_as_the_budget_reaches(owner: User) -> None:
    budget("0.10", owner=owner)
    assert set_aside(*(want(owner, n) for n in range(1, 5))) == [3, 4]
    assert Earmark.objects.get(pk=3).blocked_by["budget"].startswith("0.1")
    assert Earmark.objects.get(pk=3).wanted_usd == IMAGE


@pytest.mark.parametrize(
    "scope", [{"owner": True}, {"provider": "wavespeed"}, {"owner": True, "provider": "wavespeed"}, {}]
)
@pytest.mark.parametrize("period", ["day", "month"])
def test_each_kind_of_budget_bounds_what_it_names(owner: User, scope: dict[str, object], period: str) -> None:
    budget("0.05", owner=owner if scope.get("owner") else None, provider=str(scope.get("provider", "")), period=period)
    assert set_aside(want(owner, 1), want(owner, 2)) == [2]
    other = want(UserFactory(), 3, provider="xai")
    assert (set_aside(other) == []) == bool(scope)


def test_what_was_spent_before_the_period_does_not_count(owner: User) -> None:
    budget("0.05", owner=owner)
    now = datetime.now(UTC)
    CallFactory(owner=owner, cost_usd=IMAGE, created_at=now - timedelta(days=1))
    assert set_aside(want(owner, 1)) == []
    CallFactory(owner=owner, cost_usd=IMAGE, created_at=now)
    Earmark.objects.all().delete()
    assert set_aside(want(owner, 1)) == [1]


def test_a_settled_call_is_not_counted_twice(owner: User) -> None:
    budget("0.08", owner=owner)
    assert set_aside(want(owner, 1)) == []
    call = begin(owner)
    calls.accepted(call, provider_id="p-1")
    calls.set_cost(call, cost_usd=IMAGE, cost_source="quoted")
    assert Earmark.objects.get(pk=1).held_usd == 0
    assert set_aside(want(owner, 2)) == []
    assert set_aside(want(owner, 3)) == [3]


def test_a_refused_call_costs_what_the_provider_states(owner: User) -> None:
    budget("0.05", owner=owner)
    call = begin(owner)
    calls.failed(call, ContentRefused("wavespeed", cost_usd=Decimal("0.02"), charged=True))
    assert set_aside(want(owner, 2)) == [2]


def test_a_refund_gives_the_money_back(owner: User) -> None:
    budget("0.04", owner=owner)
    call = begin(owner)
    calls.set_cost(call, cost_usd=IMAGE, cost_source="quoted")
    assert set_aside(want(owner, 2)) == [2]
    calls.set_cost(call, cost_usd=Decimal(0), cost_source="refunded")
    assert set_aside(want(owner, 2)) == []


def test_a_dearer_call_takes_only_the_difference(owner: User) -> None:
    budget("0.10", owner=owner)
    assert set_aside(want(owner, 1, amount=Decimal("0.06"))) == []
    assert spending.cover(want(owner, 1, amount=Decimal("0.10"))) is None
    assert Earmark.objects.get(pk=1).held_usd == Decimal("0.10")
    short = spending.cover(want(owner, 1, amount=Decimal("0.11")))
    assert short is not None
    assert Earmark.objects.get(pk=1).held_usd == 0, "a job that waits holds nothing up"


def test_the_month_is_waited_for_when_both_are_used(owner: User) -> None:
    budget("0.01", owner=owner)
    budget("0.02", owner=owner, period="month")
    short = spending.cover(want(owner, 1))
    assert short is not None
    assert (short.limit.period, short.renews.day, short.renews.hour) == ("month", 1, 0)


def test_the_deployments_daily_budget_stands_in_for_a_providers_own(owner: User, settings: LazySettings) -> None:
    settings.PROVIDER_DAILY_BUDGET_USD = IMAGE
    assert set_aside(want(owner, 1), want(owner, 2)) == [2]
    budget("1.00", provider="wavespeed")
    assert set_aside(want(owner, 2)) == []


def test_sixty_at_once_for_the_last_of_a_budget(owner: User) -> None:
    """Threads and not one process's order: each has a connection of its own."""
    budget("0.05", owner=owner)
    start = Barrier(60)

    def one(job_id: int) -> bool:
        try:
            start.wait()
            return spending.cover(want(owner, job_id)) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(60) as pool:
        covered = list(pool.map(one, range(60)))
    assert sum(covered) == 1
    assert sum(Earmark.objects.values_list("held_usd", flat=True)) == IMAGE


def test_what_is_spent_and_what_is_held_are_seen_at_one_moment(owner: User) -> None:
    """A call that begins takes its estimate from the one to the other: two looks would miss it between them."""
    budget("0.40", owner=owner)
    budget("0.30", provider="wavespeed", period="month")
    with CaptureQueriesContext(connection) as queries:
        assert set_aside(want(owner, 1)) == []
    sums = [one["sql"] for one in queries if "sum(" in one["sql"]]
    assert len(sums) == 1
    assert sums[0].count("providers_spend") == sums[0].count("providers_earmark") == 2


def test_a_day_is_what_its_calls_count_as_whatever_becomes_of_them(owner: User) -> None:
    call = begin(owner)
    calls.set_cost(call, cost_usd=Decimal("0.03"), cost_source="quoted")
    late = CallFactory(owner=owner, cost_usd=Decimal(1), created_at=datetime(2026, 11, 20, 23, 59, tzinfo=UTC))
    Call.objects.filter(pk=late.pk).update(created_at=datetime(2026, 11, 21, 0, 1, tzinfo=UTC))
    CallFactory(owner=None, cost_usd=None, state="succeeded")
    call.delete()  # what was spent stays spent

    days = Spend.objects.order_by("day", "owner").values_list("owner_id", "day", "calls", "unpriced", "usd")
    assert [line for line in days if line[2]] == [
        (owner.pk, date(2026, 11, 21), 1, 0, Decimal(1)),
        (owner.pk, datetime.now(UTC).date(), 1, 0, Decimal("0.03")),
        (None, datetime.now(UTC).date(), 1, 1, Decimal(0)),
    ]


def test_a_day_changes_in_its_page_and_grows_no_index(owner: User) -> None:
    """Its row changes with every call; what an index held of it would grow with each change."""
    for _ in range(40):
        calls.set_cost(begin(owner), cost_usd=Decimal("0.03"), cost_source="quoted")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'providers_spend'")
        changed, in_place = cursor.fetchone()
    assert changed >= 79
    assert in_place == changed


def test_two_processes_never_overspend_together(owner: User) -> None:
    """Owner's and provider's budgets at once, and the calls' costs settled in between."""
    budget("0.40", owner=owner)
    budget("0.30", provider="wavespeed", period="month")
    command = [sys.executable, "-m", "tests.providers.spender", str(owner.pk)]
    parts = connection.get_connection_params()
    where = f"host={parts['host']} port={parts.get('port') or 5432} user={parts['user']} dbname={parts['dbname']}"
    environment = os.environ | {"DATABASE_URL": where}
    processes = [subprocess.Popen([*command, str(n)], cwd=ROOT, env=environment) for n in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    today = datetime.now(UTC).date()
    spent = spending.spend(owner_id=owner.pk, since=today - timedelta(days=1), until=today, by="owner")
    assert [line.cost for line in spent] == [Decimal("0.28")], "seven of 0.04 fit into 0.30, and none is left unused"


def test_spending_by_day_provider_product_and_owner(owner: User) -> None:
    day = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    CallFactory(owner=owner, cost_usd=IMAGE, created_at=day)
    CallFactory(owner=owner, cost_usd=Decimal("0.0012345678"), provider="xai", created_at=day + timedelta(minutes=2))
    CallFactory(owner=owner, cost_usd=None, created_at=day + timedelta(minutes=3))
    CallFactory(cost_usd=Decimal(9), owner=UserFactory(), product="listings", created_at=day)

    def lines(by: spending.By, owner_id: int | None = owner.pk) -> list[tuple[str, int, int, Decimal]]:
        found = spending.spend(owner_id=owner_id, since=date(2026, 11, 20), until=date(2026, 11, 21), by=by)
        return [(line.name, line.calls, line.unpriced, line.cost) for line in found]

    small = Decimal("0.0012345678")
    assert lines("day") == [("2026-11-20", 1, 0, IMAGE), ("2026-11-21", 2, 1, small)]
    assert lines("provider") == [("wavespeed", 2, 1, IMAGE), ("xai", 1, 0, small)]
    assert lines("product") == [("studio", 3, 1, IMAGE + small)]
    assert sum(cost for *_, cost in lines("owner", None)) == Decimal(9) + IMAGE + small


def test_budgets_are_set_in_the_admin_and_what_is_set_aside_can_be_seen(owner: User, client: Client) -> None:
    client.force_login(StaffFactory(is_superuser=True))
    form = {"owner": owner.pk, "provider": "wavespeed", "period": "day", "amount_usd": "0.05"}
    assert client.post("/admin/accounts/budget/add/", form).status_code == 302
    assert "already exists" in client.post("/admin/accounts/budget/add/", form).content.decode()
    assert set_aside(want(owner, 1), want(owner, 2)) == [2]
    for path in ("/admin/accounts/budget/", "/admin/providers/earmark/"):
        assert "0.05" in client.get(path).content.decode()


def counted(owner: User) -> Decimal:
    [line] = spending.spend(
        owner_id=owner.pk, since=datetime.now(UTC).date(), until=datetime.now(UTC).date(), by="owner"
    )
    return line.cost


@pytest.mark.parametrize(
    ("end", "counts"),
    [
        (lambda call: None, IMAGE),
        (lambda call: calls.unknown(call, TransientNetwork("wavespeed", sent=None)), IMAGE),
        (lambda call: calls.accepted(call, provider_id="p"), IMAGE),
        (lambda call: calls.succeeded(call, result={}), IMAGE),
        (lambda call: calls.succeeded(call, result={}, cost_usd=Decimal("0.03")), Decimal("0.03")),
        (lambda call: calls.lost(call), Decimal(0)),
        (lambda call: calls.failed(call, Overloaded("wavespeed", charged=False)), Decimal(0)),
        (lambda call: calls.failed(call, TransientNetwork("wavespeed", sent=False)), Decimal(0)),
        (lambda call: calls.failed(call, ContentRefused("wavespeed")), IMAGE),
        (lambda call: calls.failed(call, ContentRefused("wavespeed", cost_usd=Decimal("0.02"))), Decimal("0.02")),
    ],
    ids=["sent", "unknown", "taken", "no figure", "figure", "lost", "free", "not sent", "nobody said", "stated"],
)
def test_a_call_counts_as_its_estimate_until_its_cost_is_told(owner: User, end: Any, counts: Decimal) -> None:
    """Whatever its job holds, the sum of both never says more or less: not while it lives, not after it ended."""
    budget("0.06", owner=owner)
    assert set_aside(want(owner, 1)) == []
    call = begin(owner)
    assert Earmark.objects.get(pk=1).held_usd == 0
    end(call)
    assert counted(owner) == counts
    assert Earmark.objects.get(pk=1).held_usd == IMAGE - counts
    Earmark.objects.all().delete()  # the job ends
    assert (set_aside(want(owner, 2)) == []) == (counts <= Decimal("0.02"))


def test_a_job_that_waits_for_money_is_given_none_back_by_a_call_that_was_free(owner: User) -> None:
    budget("0.05", owner=owner)
    assert set_aside(want(owner, 1)) == []
    call = begin(owner)
    assert set_aside(want(owner, 1, amount=Decimal("0.06"))) == [1]
    assert calls.lost(call)
    assert Earmark.objects.get(pk=1).held_usd == 0
    assert set_aside(want(owner, 1)) == []


def test_what_was_estimated_is_booked_and_marked(owner: User) -> None:
    call = begin(owner)
    calls.succeeded(call, result={})
    assert (call.cost_usd, call.cost_source) == (IMAGE, "estimated")
    [line] = spending.spend(owner_id=owner.pk, since=datetime.now(UTC).date(), until=datetime.now(UTC).date(), by="day")
    assert (line.unpriced, line.cost) == (1, IMAGE)
