"""Quotes, spending and budgets as the API tells them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from apps.accounts.models import Budget, User
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import AssetFactory, CallFactory, RowFactory, StaffFactory, UserFactory
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def provider(settings: LazySettings) -> Any:
    """A simulator to ask for prices."""
    with SimulatorProcess() as running:
        settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": running.wavespeed_base}
        settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"wavespeed": "sim-money"}
        yield running


def row_of(owner: User) -> Any:
    return RowFactory(workspace__owner=owner, target_url=f"/media/assets/{AssetFactory(owner=owner).pk}")


def test_a_quote_is_the_providers_own_price(call: Caller, owner: User, provider: SimulatorProcess) -> None:
    body = call("GET", f"/api/rows/{row_of(owner).pk}/quote?count=3").json()
    assert (body["total"], body["exact"], body["short"]) == ("0.12", True, None)
    assert body["items"][0]["source"] == "quoted"
    assert provider.ledger("wavespeed") == [], "a quote costs nothing"


def test_without_the_provider_our_table_answers_and_says_so(call: Caller, owner: User, settings: LazySettings) -> None:
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": "http://127.0.0.1:9"}
    body = call("GET", f"/api/rows/{row_of(owner).pk}/quote?count=1&useAiPrompt=true").json()
    assert [item["source"] for item in body["items"]] == ["priced", "at_most"]
    assert body["exact"] is False
    assert Decimal(body["total"]) == sum(Decimal(item["total"]) for item in body["items"])


def test_a_quote_names_the_budget_that_is_short(call: Caller, owner: User, settings: LazySettings) -> None:
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {"wavespeed": "http://127.0.0.1:9"}
    Budget.objects.create(owner=owner, amount_usd=Decimal("0.05"))
    body = call("GET", f"/api/rows/{row_of(owner).pk}/quote?count=2").json()
    assert (body["short"]["scope"], body["short"]["left"]) == ("owner", "0.05")


@pytest.mark.parametrize("query", ["count=0", "count=7", "count=x", "count=²", "useAiPrompt=yes"])
def test_a_query_that_does_not_fit_is_named(call: Caller, owner: User, query: str) -> None:
    body = problem(call("GET", f"/api/rows/{row_of(owner).pk}/quote?{query}"), 400, "query_invalid")
    assert query.split("=")[0] in body["detail"]


def test_spending_is_ones_own_and_exact(call: Caller, owner: User) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    CallFactory(owner=owner, cost_usd=Decimal("0.0000125"), created_at=at)
    CallFactory(owner=UserFactory(), cost_usd=Decimal("5"), created_at=at)
    path = "/api/spend?from=2026-11-20&to=2026-11-20&by=product"
    assert call("GET", path).json() == {
        "from": "2026-11-20",
        "to": "2026-11-20",
        "by": "product",
        "total": "0.0000125",
        "results": [{"key": "studio", "name": "studio", "calls": 1, "unpriced": 0, "cost": "0.0000125"}],
    }
    everybody = caller_of(StaffFactory())("GET", path.replace("product", "owner")).json()
    assert everybody["total"] == "5.0000125"
    assert {line["name"] for line in everybody["results"]} >= {owner.username}


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "from=2026-11-22&to=2026-11-20", "from=2020-01-01&to=2026-01-01", "by=week", "to=0001-01-01"],
)
def test_spending_refuses_what_is_no_range(call: Caller, query: str) -> None:
    problem(call("GET", f"/api/spend?{query}"), 400, "query_invalid")


def test_budgets_are_those_that_bound_the_caller(call: Caller, owner: User) -> None:
    Budget.objects.create(owner=owner, amount_usd=Decimal("10"))
    Budget.objects.create(owner=UserFactory(), amount_usd=Decimal("99"))
    Budget.objects.create(provider="xai", period="month", amount_usd=Decimal("30"))
    CallFactory(owner=owner, cost_usd=Decimal("4"), provider="xai")
    found = call("GET", "/api/budgets").json()["results"]
    assert [(one["scope"], one["amount"], one["spent"], one["left"]) for one in found] == [
        ("owner", "10.00", "4.00", "6.00"),
        ("provider", "30.00", "4.00", "26.00"),
    ]
