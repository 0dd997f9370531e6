"""Money, strategies and the words arriving, as a person sees them."""

import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.accounts.models import Budget, User
from apps.studio.models import Row, Workspace
from tests.browser.conftest import Desk
from tests.support.stack import Stack

LONG = 60_000  # milliseconds for real jobs on a busy machine
Desks = Callable[..., Desk]


def test_the_words_arrive_in_the_row_while_grok_writes(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row
) -> None:
    stack.simulator.scenario("xai", match={"path": "/chat/completions"}, drip_body_ms=1)
    page = desk().open(workspace)
    place = page.locator(f"#row-{row.pk}")
    place.get_by_role("button", name="Ask for an AI prompt for row 1").click()
    arriving = place.locator("[data-arriving]")
    expect(arriving).to_have_text(re.compile(r"\w+ \w+ \w+"), timeout=LONG)
    first = arriving.inner_text()
    expect(place.get_by_role("textbox")).not_to_have_value("", timeout=LONG)
    assert place.get_by_role("textbox").input_value().startswith(first.strip()[:15])
    expect(arriving).to_have_count(0)


def test_a_row_says_that_it_waits_for_the_budget_and_goes_on_when_it_is_raised(
    stack: Stack, desk: Desks, owner: User, workspace: Workspace, row: Row
) -> None:
    budget = Budget.objects.create(owner=owner, amount_usd=Decimal("0.01"))
    page = desk().open(workspace)
    place = page.locator(f"#row-{row.pk}")
    place.get_by_role("button", name="Generate", exact=True).click()
    expect(place).to_contain_text("Today's $0.01 do not reach for it: $0.01 left.", timeout=LONG)
    expect(place).to_contain_text("or at once when the budget is raised")
    shot(page, "waits-for-budget")
    Budget.objects.filter(pk=budget.pk).update(amount_usd=Decimal("5"))
    expect(place.locator(".status .badge")).to_have_text("Done", timeout=LONG)


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_spending_and_strategies_are_readable_at_every_width(
    desk: Desks, owner: User, workspace: Workspace, width: int, theme: str
) -> None:
    from tests.studio.test_strategies import picture

    Budget.objects.create(owner=owner, amount_usd=Decimal("5"))
    for number in range(12):
        picture(workspace, version=1, favourite=number < 5, rating=3 + number % 3)
    here = desk(viewport={"width": width, "height": 844}, color_scheme=theme)
    page = here.open(workspace)
    for path in ("/spending", f"/workspaces/{workspace.pk}/strategies"):
        page.goto(here.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        shot(page, f"{path.rsplit('/', 1)[1]}-{width}-{theme}")
    expect(page.get_by_role("main")).to_contain_text("42 % (19 %–68 %)")


def shot(page: object, name: str) -> None:
    """For a person to look at, when PRESSROOM_SHOTS names a folder."""
    if folder := os.environ.get("PRESSROOM_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)  # type: ignore[attr-defined]
