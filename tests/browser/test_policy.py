"""What others' scripts are allowed, and that they work with it: the administration and the API reference."""

from collections.abc import Callable

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.studio.models import Row
from tests.browser.conftest import Desk
from tests.support.stack import Stack


@pytest.fixture
def page(stack: Stack, owner: User, desk: Callable[..., Desk]) -> Page:
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    return desk().sign_in()


def lists() -> list[str]:
    """The path of every list in the administration."""
    admin = next(one for one in get_resolver().url_patterns if str(one.pattern) == "admin/")
    assert isinstance(admin, URLResolver)
    found = []
    for models in admin.url_patterns:
        if isinstance(models, URLResolver):
            found += [
                str(models.pattern)
                for one in models.url_patterns
                if isinstance(one, URLPattern) and one.name and one.name.endswith("_changelist")
            ]
    return found


def test_the_administration_works_under_its_policy(page: Page, stack: Stack, row: Row) -> None:
    """Every list, and the first thing of each; the desk fails the test when the browser forbade anything."""
    assert len(lists()) > 10
    for path in ("", *lists()):
        answer = page.goto(f"{stack.url}/admin/{path}")
        assert answer
        assert answer.status == 200
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        first = page.locator("#result_list tbody th a").first
        if first.count():
            page.goto(stack.url + str(first.get_attribute("href")))
            expect(page.locator("#content, main").first).to_be_visible()


def test_the_administrations_scripts_run(page: Page, stack: Stack, row: Row) -> None:
    page.goto(f"{stack.url}/admin/studio/workspace/")
    assert page.evaluate("typeof window.Alpine") == "object"
    box = page.locator("#result_list tbody input.action-select").first
    if box.count():
        box.check()
        expect(page.locator("#result_list tbody tr.selected").first).to_be_visible()


def test_the_reference_works_under_its_policy(page: Page, stack: Stack) -> None:
    answer = page.goto(f"{stack.url}/api/docs")
    assert answer
    assert "script-src 'self';" in answer.headers["content-security-policy"] + ";"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    operation = page.locator(".opblock", has_text="/api/jobs/pending-count").first
    operation.locator(".opblock-summary-control").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")


def test_a_page_opened_as_localhost_has_its_stream(stack: Stack, owner: User, desk: Callable[..., Desk]) -> None:
    here = desk()
    here.url = here.url.replace("127.0.0.1", "localhost")
    page = here.sign_in()
    opened = page.evaluate(
        """() => new Promise(answer => {
          const source = new EventSource("/api/events", { withCredentials: true });
          source.onopen = () => answer("open");
          source.onerror = () => answer("refused");
        })"""
    )
    assert opened == "open"
