"""The account page as a person uses it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from apps.accounts.models import ApiToken, User
from tests.browser.conftest import PASSWORD, Desk
from tests.factories import token_for
from tests.support.stack import wait_until

Desks = Callable[..., Desk]
NEW = "an entirely new one"


def account(desk: Desks) -> Any:
    here = desk()
    page = here.sign_in()
    page.goto(f"{here.url}/account")
    return page


def test_revoking_asks_first(desk: Desks, owner: User) -> None:
    token, _secret = token_for(owner)
    page = account(desk)
    page.get_by_role("button", name="Revoke tests").click()
    asked = page.get_by_role("dialog", name="Revoke “tests”?")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Keep it").click()
    expect(asked).to_be_hidden()
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None
    page.get_by_role("button", name="Revoke tests").click()
    asked.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Token “tests” is revoked.")
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None


def test_a_password_is_changed_and_the_other_browser_signed_out(desk: Desks, owner: User) -> None:
    other, page = account(desk), account(desk)
    page.get_by_role("button", name="Change password").click()
    _fill(page, old="not it")
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    _fill(page, old=PASSWORD)
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Every other browser is signed out.")
    wait_until(lambda: User.objects.get(pk=owner.pk).check_password(NEW), what="the new password")
    # A new tab of the other browser: its open page may be on its way to the sign-in by itself just now.
    tab = other.context.new_page()
    tab.goto(page.url)
    expect(tab.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Account of ada")).to_be_visible()


def _fill(page: Any, *, old: str) -> None:
    page.get_by_label("Password now").fill(old)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Change it").click()
