"""A page that refuses says which of its reasons it is."""

import pytest
from django.test import Client

from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
TOO_OLD, NO_COOKIE, MAY_NOT = "The page was too old", "sent no cookie of ours", "You may not do this"


def refused(client: Client, path: str, **asked: str) -> str:
    reply = client.post(path, asked)
    assert reply.status_code == 403
    page = reply.content.decode()
    assert sum(words in page for words in (TOO_OLD, NO_COOKIE, MAY_NOT)) == 1
    return page


def test_without_our_cookie_the_browser_is_what_to_mend() -> None:
    assert NO_COOKIE in refused(Client(enforce_csrf_checks=True), "/signin", username="ada", password="x")


def test_an_old_page_is_opened_again() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    client.get("/account")
    assert TOO_OLD in refused(client, "/account", name="x")


def test_what_one_may_not_do_is_no_old_page(client: Client) -> None:
    client.force_login(StaffFactory())
    reply = client.get("/admin/accounts/budget/add/")
    assert reply.status_code == 403
    assert MAY_NOT in reply.content.decode()
    assert TOO_OLD not in reply.content.decode()
