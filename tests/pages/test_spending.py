"""The spending page: one's own figures, and budgets with what is left."""

from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import Budget
from tests.factories import CallFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_spending_is_ones_own_with_what_is_left(client: Client) -> None:
    ada = UserFactory()
    Budget.objects.create(owner=ada, amount_usd=Decimal("2"))
    CallFactory(owner=ada, cost_usd=Decimal("0.50"))
    CallFactory(owner=UserFactory(), cost_usd=Decimal("77"))
    client.force_login(ada)
    page = client.get("/spending").content.decode()
    assert "$0.50 in the last 30 days" in page
    assert "$1.50" in page
    assert "77" not in page


@pytest.mark.parametrize("by", ["day", "provider", "product", "owner", "nonsense"])
def test_staff_see_everybody_however_it_is_added_up(client: Client, by: str) -> None:
    CallFactory(owner=UserFactory(), cost_usd=Decimal("77"))
    client.force_login(StaffFactory())
    assert "$77.00" in client.get(f"/spending?by={by}").content.decode()


def test_who_cannot_set_budgets_is_not_told_to(client: Client) -> None:
    client.force_login(UserFactory())
    page = client.get("/spending").content.decode()
    assert "Budgets are set by an administrator of this desk" in page
    assert "/admin/" not in page
    setter = Client()
    setter.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = setter.get("/spending").content.decode()
    assert 'href="/admin/accounts/budget/"' in page
    assert "Budgets are set by an administrator" not in page
