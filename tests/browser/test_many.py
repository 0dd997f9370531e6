"""Many rows at once, and rows that are deleted: the server carries on what the page asked for."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from apps.accounts.models import User
from apps.jobs import lanes
from apps.jobs.models import Job
from apps.studio.deletion import put_rows_away
from apps.studio.demo import PHOTOS
from apps.studio.models import Row, Workspace
from apps.studio.rows import update_row
from tests.browser.conftest import Desk
from tests.support.stack import Stack, wait_until

LONG = 60_000
MANY = 12
Desks = Callable[..., Desk]
AddRow = Callable[..., Row]


def line(page: Page, row: Row) -> Locator:
    return page.locator(f"#row-{row.pk}")


def select_all(page: Page) -> Locator:
    page.get_by_label("Select every row shown").check()
    return page.get_by_role("group", name="With the selected rows")


def told(page: Page) -> Locator:
    return page.get_by_role("group", name="The rows you started together")


def test_a_run_of_many_rows_goes_on_when_the_page_is_left(desk: Desks, workspace: Workspace, add_row: AddRow) -> None:
    lanes.pause("images", by="Jo")
    for _ in range(MANY):
        add_row()
    page = desk().open(workspace)
    with page.expect_request("**/generate"):
        select_all(page).get_by_role("button", name="Generate", exact=True).click()
    page.goto("about:blank")  # while the request is under way
    wait_until(lambda: Job.objects.filter(kind="image").count() == 2 * MANY, what="every row is in the queue")


def test_a_selection_may_be_larger_than_a_page(desk: Desks, workspace: Workspace) -> None:
    lanes.pause("images", by="Jo")
    Row.objects.bulk_create(Row(workspace=workspace, position=place) for place in range(50))
    page = desk().open(workspace)
    page.locator("#files").set_input_files([PHOTOS / name for name in ("chelsea.png", "coffee.png", "rocket.jpg")])
    expect(page.locator("tr[data-row]")).to_have_count(53, timeout=LONG)
    select_all(page).get_by_role("button", name="Generate", exact=True).click()
    expect(told(page)).to_contain_text("3 rows: 3 waiting.", timeout=LONG)
    expect(told(page)).to_contain_text("Row 1: This row has no target picture.")
    expect(told(page)).to_contain_text("And 47 more.")
    told(page).get_by_role("button", name="Cancel these").click()
    expect(told(page)).to_contain_text("3 rows: 3 cancelled.", timeout=LONG)
    select_all(page).get_by_role("button", name="Delete").click()
    expect(page.locator("tr[data-row]")).to_have_count(0, timeout=LONG)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("tr[data-row]")).to_have_count(53, timeout=LONG)
    assert workspace.rows.count() == 53


def test_a_selection_that_nothing_came_of_says_why_until_it_is_closed(
    desk: Desks, owner: User, workspace: Workspace, add_row: AddRow
) -> None:
    row = add_row()
    page = desk().open(workspace)
    page.route("**/generate", lambda route: route.abort())
    select_all(page).get_by_role("button", name="Generate", exact=True).click()
    expect(told(page)).to_contain_text("No connection to Pressroom.")
    update_row(user=owner, row_id=row.pk, fields={"prompt_override": "Words from elsewhere"})
    expect(line(page, row).locator("textarea")).to_have_value("Words from elsewhere")
    expect(told(page)).to_contain_text("No connection to Pressroom.")


def test_many_rows_are_told_in_one_line_and_stopped_by_one_button(
    desk: Desks, workspace: Workspace, add_row: AddRow
) -> None:
    lanes.pause("images", by="Jo")
    rows = [add_row() for _ in range(3)]
    empty = Row.objects.create(workspace=workspace, position=9)
    page = desk().open(workspace)
    page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(() => window.said.push(document.querySelector("[data-live]").textContent))
                .observe(document.querySelector("[data-live]"), { childList: true, characterData: true, subtree: true });
        }"""
    )
    select_all(page).get_by_role("button", name="Generate", exact=True).click()
    expect(told(page)).to_contain_text("3 rows: 3 waiting.")
    expect(told(page)).to_contain_text("Left out: Row 4: This row has no target picture. Add one, then generate.")
    said = [words for words in page.evaluate("window.said") if words]
    assert said == ["3 rows are in the queue. 1 row left out."]
    told(page).get_by_role("button", name="Cancel these").click()
    expect(told(page)).to_contain_text("3 rows: 3 cancelled.")
    for row in rows:
        expect(line(page, row).locator(".status .badge")).to_have_text("Cancelled")
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not Job.objects.filter(subject=f"row:{empty.pk}").exists()
    told(page).get_by_role("button", name="Close this line").click()
    expect(told(page)).to_be_hidden()


def test_a_selection_that_works_can_be_cancelled(desk: Desks, workspace: Workspace, add_row: AddRow) -> None:
    lanes.pause("images", by="Jo")
    rows = [add_row(), add_row()]
    page = desk().open(workspace)
    bar = select_all(page)
    expect(bar.get_by_role("button", name="Cancel")).to_be_hidden()
    bar.get_by_role("button", name="Clear the selection").click()
    for row in rows:
        line(page, row).get_by_role("button", name="Generate", exact=True).click()
        expect(line(page, row).locator(".status .badge")).to_have_text("Paused")
    select_all(page).get_by_role("button", name="Cancel").click()
    for row in rows:
        expect(line(page, row).locator(".status .badge")).to_have_text("Cancelled")


def test_a_deleted_row_is_gone_at_once_with_its_jobs_and_can_be_brought_back_to_its_place(
    stack: Stack, desk: Desks, workspace: Workspace, add_row: AddRow
) -> None:
    lanes.pause("images", by="Jo")
    first, second, third = add_row(), add_row("rocket.jpg"), add_row("coffee.png")
    page = desk().open(workspace)
    line(page, second).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, second).locator(".status .badge")).to_have_text("Paused")
    page.get_by_role("button", name="More for row 2").click()
    page.get_by_role("menuitem", name="Delete row").click()
    expect(line(page, second)).to_have_count(0)
    expect(page.get_by_role("button", name="More for row 3")).to_be_focused()
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    lanes.resume("images")
    line(page, third).get_by_role("button", name="Generate", exact=True).click()
    expect(line(page, third).locator(".status .badge")).to_have_text("Done", timeout=LONG)
    expect(line(page, second)).to_have_count(0)  # nothing that happens brings it back
    page.get_by_role("button", name="More for row 1").click()
    page.get_by_role("menuitem", name="Delete row").click()
    page.locator(".toast", has_text="Row 1 deleted").get_by_role("button", name="Undo").click()
    expect(line(page, first)).to_be_visible()
    places = page.locator("tr[data-row]").evaluate_all("rows => rows.map(row => row.dataset.row)")
    assert places == [str(first.pk), str(third.pk)]
    page.reload()
    expect(line(page, first)).to_be_visible()
    expect(line(page, second)).to_have_count(0)


def test_a_row_that_somebody_else_deletes_does_not_take_the_menu_of_all_rows_with_it(
    desk: Desks, owner: User, workspace: Workspace, add_row: AddRow
) -> None:
    first, second = add_row(), add_row()
    page = desk().open(workspace)
    page.get_by_role("button", name="More for row 2").click()
    page.keyboard.press("Escape")
    put_rows_away(user=owner, workspace_id=workspace.pk, row_ids=[second.pk])
    expect(line(page, second)).to_have_count(0, timeout=LONG)
    page.get_by_role("button", name="More for row 1").click()
    page.get_by_role("menuitem", name="Delete row").click()
    expect(line(page, first)).to_have_count(0, timeout=LONG)


def test_what_a_system_puts_beside_pictures_is_not_told_as_refused(
    desk: Desks, workspace: Workspace, tmp_path: Path
) -> None:
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._chelsea.png"):
        (tmp_path / name).write_bytes(b"\0\0\0\1")
    (tmp_path / "notes.txt").write_text("Not a picture.")
    page = desk().open(workspace)
    expect(page.get_by_role("heading", name="No rows yet")).to_be_visible()
    page.locator("#files").set_input_files([PHOTOS / "chelsea.png", *sorted(tmp_path.iterdir())])
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("#up-title")).to_have_text("1 added, 1 refused")
    expect(page.locator("#uploads")).to_contain_text("notes.txt")
    expect(page.locator("#uploads")).not_to_contain_text("DS_Store")
