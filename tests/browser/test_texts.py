"""Text that a person types is never lost, never overwritten unseen, and the page knows whether there is a line."""

import os
import re
import signal
from collections.abc import Callable

import requests
from playwright.sync_api import Locator, Page, expect

from apps.accounts.models import User, create_token
from apps.jobs import lanes
from apps.studio.models import ImageJob, Row, Workspace
from apps.studio.rows import create_rows, update_row
from tests.browser.conftest import Desk
from tests.support.stack import Stack, wait_until

LONG = 60_000  # milliseconds for what takes several looks on a busy machine
Desks = Callable[..., Desk]


def line(page: Page, row: Row) -> Locator:
    return page.locator(f"#row-{row.pk}")


def field(page: Page, row: Row) -> Locator:
    return line(page, row).get_by_role("textbox", name="Prompt for row 1")


def note(page: Page, row: Row) -> Locator:
    return line(page, row).locator("[data-prompt-note]")


def typed_offline(here: Desk, workspace: Workspace, row: Row, text: str) -> Page:
    """A page whose text is kept in the browser only, closed."""
    page = here.open(workspace)
    here.context.set_offline(True)
    field(page, row).fill(text)
    field(page, row).blur()
    expect(note(page, row)).to_contain_text("kept here")
    page.goto("about:blank")
    here.context.set_offline(False)
    return page


def test_a_draft_does_not_overwrite_what_was_saved_meanwhile(
    desk: Desks, owner: User, workspace: Workspace, row: Row
) -> None:
    here = desk()
    typed_offline(here, workspace, row, "Old words of the train.")
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": "New words of the office."})
    page = here.open(workspace)
    both = line(page, row).get_by_role("group", name="Two texts")
    expect(both).to_contain_text("New words of the office.")
    expect(field(page, row)).to_have_value("Old words of the train.")
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, row).locator(".status [data-said]")).to_contain_text("Choose one of them first")
    row.refresh_from_db()
    assert row.prompt_override == "New words of the office."
    page.reload()
    expect(both).to_contain_text("New words of the office.")
    both.get_by_role("button", name="Take the saved one").click()
    expect(field(page, row)).to_have_value("New words of the office.")
    expect(field(page, row)).to_be_focused()
    page.reload()
    expect(field(page, row)).to_have_value("New words of the office.")
    expect(both).to_have_count(0)
    row.refresh_from_db()
    assert row.prompt_override == "New words of the office."


def test_a_draft_over_the_text_that_still_stands_is_saved(desk: Desks, workspace: Workspace, row: Row) -> None:
    here = desk()
    typed_offline(here, workspace, row, "Written on a train.")
    page = here.open(workspace)
    expect(note(page, row)).to_contain_text("Typed by you")
    row.refresh_from_db()
    assert row.prompt_override == "Written on a train."


def test_two_tabs_that_type_in_one_row_are_told(desk: Desks, workspace: Workspace, row: Row) -> None:
    here = desk()
    first = here.open(workspace)
    second = here.context.new_page()
    second.goto(first.url)
    field(first, row).fill("From the first tab.")
    field(second, row).fill("From the second tab.")
    field(first, row).blur()
    expect(note(first, row)).to_contain_text("Typed by you")
    field(second, row).blur()
    both = line(second, row).get_by_role("group", name="Two texts")
    expect(both).to_contain_text("From the first tab.")
    row.refresh_from_db()
    assert row.prompt_override == "From the first tab."
    both.get_by_role("button", name="Save mine instead").click()
    expect(note(second, row)).to_contain_text("Typed by you")
    expect(both).to_have_count(0)
    expect(field(first, row)).to_have_value("From the second tab.")
    row.refresh_from_db()
    assert row.prompt_override == "From the second tab."


def test_a_second_tab_sees_new_changed_and_deleted_rows(
    stack: Stack, desk: Desks, owner: User, workspace: Workspace, row: Row
) -> None:
    page = desk().open(workspace)
    (added,) = create_rows(user=owner, workspace_id=workspace.pk, rows=[{"label": "second.png"}])
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": "Said elsewhere."})
    _, secret = create_token(user=owner, name="other program")
    signed = {"Authorization": f"Bearer {secret}"}
    made = requests.post(
        f"{stack.url}/api/workspaces/{workspace.pk}/rows", json={"label": "third.png"}, headers=signed, timeout=20
    ).json()
    third = page.locator(f"#row-{made['id']}")
    expect(third).to_be_visible()
    patched = requests.patch(
        f"{stack.url}/api/rows/{row.pk}", json={"promptOverride": "Said by a program."}, headers=signed, timeout=20
    )
    assert patched.status_code == 200
    expect(field(page, row)).to_have_value("Said by a program.")
    requests.delete(f"{stack.url}/api/rows/{made['id']}", headers=signed, timeout=20)
    expect(third).to_have_count(0)
    assert Row.objects.filter(pk=added.pk).exists()


def test_no_connection_is_noticed_while_the_stream_looks_open(desk: Desks, workspace: Workspace, row: Row) -> None:
    here = desk()
    page = here.open(workspace)
    notice = page.locator("[data-offline]")
    asked = "performance.getEntriesByType('resource').some(one => one.name.includes('/queue/summary'))"
    wait_until(lambda: page.evaluate(asked), what="the page asked the server")
    here.context.set_offline(True)
    expect(notice).to_be_visible()
    expect(notice).to_contain_text(re.compile(r"since \d\d:\d\d:\d\d\."))
    page.mouse.wheel(0, 3000)
    expect(notice).to_be_in_viewport()
    here.context.set_offline(False)
    expect(notice).to_be_hidden(timeout=LONG)


def test_a_server_that_is_silent_is_noticed(stack: Stack, desk: Desks, workspace: Workspace, row: Row) -> None:
    """Its sockets stay open: as when a wire is cut without a word."""
    page = desk().open(workspace)
    page.clock.install()  # the page's time can be wound on: nothing here waits for it
    page.reload()
    field(page, row).fill("Typed while nobody answers.")
    names = ("web", "live")
    for name in names:
        os.killpg(stack.processes[name].pid, signal.SIGSTOP)
    try:
        notice = page.locator("[data-offline]")

        def noticed() -> bool:
            page.clock.run_for(10_000)
            return notice.is_visible()

        wait_until(noticed, seconds=90, what="the notice")
    finally:
        for name in names:
            os.killpg(stack.processes[name].pid, signal.SIGCONT)

    def back() -> bool:
        page.clock.run_for(5_000)
        return notice.is_hidden()

    wait_until(back, seconds=60, what="the line is back")


def test_text_kept_while_the_server_was_away_is_saved_when_it_answers(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row
) -> None:
    """No `online` event says so: the browser was never offline."""
    page = desk().open(workspace)
    stack.kill("web")
    field(page, row).fill("Typed while the server was down.")
    field(page, row).blur()
    expect(note(page, row)).to_contain_text("kept here, saved when the line is back")
    expect(page.locator("[data-offline]")).to_be_visible()
    stack.web_alone()
    expect(note(page, row)).to_contain_text("Typed by you", timeout=LONG)
    expect(page.locator("[data-offline]")).to_be_hidden()
    row.refresh_from_db()
    assert row.prompt_override == "Typed while the server was down."


def test_what_grok_wrote_stands_in_the_field_and_the_typed_text_can_be_had_back(
    desk: Desks, workspace: Workspace, row: Row
) -> None:
    Row.objects.filter(pk=row.pk).update(prompt_override="My own words.")
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="AI Generate").click()
    expect(note(page, row)).to_contain_text("Grok writes a new one")
    expect(note(page, row)).to_have_text(re.compile(r"^Written by Grok .* · Describe v\d+$"), timeout=LONG)
    made = ImageJob.objects.filter(row=row).first()
    assert made is not None
    expect(field(page, row)).to_have_value(made.prompt)
    expect(line(page, row).locator(".status .badge")).to_have_text("Done", timeout=LONG)
    expect(line(page, row).get_by_role("button", name="Enhance")).not_to_have_attribute("aria-disabled", "true")
    line(page, row).get_by_role("button", name="Back to the text you typed").click()
    expect(field(page, row)).to_have_value("My own words.")
    expect(note(page, row)).to_have_text("Typed by you · the pictures are of another text")
    row.refresh_from_db()
    assert row.prompt_text == "My own words."


def test_an_enhance_that_fails_on_a_row_with_pictures_says_so_until_it_is_put_away(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row
) -> None:
    Row.objects.filter(pk=row.pk).update(prompt_override="My own words.")
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, row).locator(".status .badge")).to_have_text("Done", timeout=LONG)
    stack.simulator.scenario("xai", match={"path": "/chat/completions"}, times=None, refusal="I cannot help with that.")
    line(page, row).get_by_role("button", name="Enhance the prompt of row 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Enhance").click()
    trouble = line(page, row).get_by_role("group", name="The prompt that was asked for")
    expect(trouble).to_contain_text("The prompt was not enhanced. Grok", timeout=LONG)
    expect(page.locator("[data-live]")).to_contain_text("not enhanced")
    expect(field(page, row)).to_have_value("My own words.")
    page.reload()
    expect(trouble).to_contain_text("was charged.")
    trouble.get_by_role("button", name="Put away").click()
    expect(trouble).to_have_count(0)
    expect(field(page, row)).to_be_focused()
    page.reload()
    expect(line(page, row)).to_be_visible()
    expect(trouble).to_have_count(0)


def test_finished_pictures_stay_in_sight_while_new_ones_wait(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    pictures = line(page, row).locator("[data-open-image]:visible")
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, row).locator(".status .badge")).to_have_text("Done", timeout=LONG)
    expect(pictures).to_have_count(2)
    lanes.pause("images", by="Jo Beck")
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, row).locator(".status .badge")).to_have_text("Paused")
    expect(line(page, row).locator(".thumb-wait")).to_have_count(2)
    expect(pictures).to_have_count(2)
    line(page, row).get_by_role("button", name="Cancel row 1").click()
    expect(line(page, row).locator(".status .badge")).to_have_text("Cancelled")
    expect(line(page, row).locator(".status")).to_contain_text("Nothing was charged.")
    expect(pictures).to_have_count(2)


def test_a_page_that_breaks_the_policy_fails_its_test(desk: Desks, workspace: Workspace) -> None:
    """The check that every browser test ends with can fail."""
    here = desk()
    page = here.open(workspace)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">no</p>')")
    wait_until(lambda: page.evaluate("1") and here.mistakes, what="the violation was heard")
    assert any("style" in mistake for mistake in here.mistakes)
    here.mistakes.clear()
