"""Studio as a person uses it."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.db import transaction
from PIL import Image
from playwright.sync_api import ElementHandle, Locator, Page, expect

from apps.accounts.models import User
from apps.core.errors import Remedy
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job
from apps.providers.models import Call
from apps.studio.demo import PHOTOS
from apps.studio.models import GeneratedImage, Row, Workspace
from apps.studio.services import generate_images
from tests.browser.conftest import Desk
from tests.support.stack import Stack, wait_until

LONG = 60_000  # milliseconds for real jobs on a busy machine
Desks = Callable[..., Desk]


def line(page: Page, row: Row) -> Locator:
    return page.locator(f"#row-{row.pk}")


def status(page: Page, row: Row) -> Locator:
    return line(page, row).locator(".status .badge")


def slow(stack: Stack, *, seconds: float) -> None:
    """WaveSpeed takes this long over each picture."""
    stack.simulator.scenario("wavespeed", match={"method": "POST"}, times=None, task_delay_ms=seconds * 1000)


def test_ai_generate_waits_runs_and_shows_its_pictures(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row
) -> None:
    slow(stack, seconds=2)
    page = desk().open(workspace)
    expect(status(page, row)).to_have_text("Idle")
    line(page, row).get_by_role("button", name="AI Generate").click()
    expect(line(page, row).get_by_role("button", name="Cancel row 1")).to_be_visible()
    expect(line(page, row).get_by_role("button", name="AI Generate")).to_have_attribute("aria-disabled", "true")
    expect(status(page, row)).to_have_text("Running", timeout=LONG)
    expect(line(page, row).locator("progress")).to_be_visible()
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    pictures = line(page, row).locator("[data-open-image] img")
    expect(pictures).to_have_count(2)
    wait_until(lambda: pictures.first.evaluate("image => image.naturalWidth > 0"), what="the thumbnail is drawn")
    expect(line(page, row)).to_contain_text("2 images in")
    expect(page.locator("[data-live]")).to_contain_text("Row 1: Done")
    expect(page.locator("#filters")).to_contain_text("Done 1")


def test_a_reload_and_a_second_tab_show_the_same(stack: Stack, desk: Desks, workspace: Workspace, row: Row) -> None:
    slow(stack, seconds=3)
    here = desk()
    first = here.open(workspace)
    second = here.context.new_page()
    second.goto(first.url)
    line(first, row).get_by_role("button", name="Generate", exact=True).click()
    expect(status(second, row)).to_have_text("Running", timeout=LONG)
    first.reload()
    expect(status(first, row)).to_have_text("Running")
    for page in (first, second):
        expect(status(page, row)).to_have_text("Done", timeout=LONG)
        expect(line(page, row).locator("[data-open-image]")).to_have_count(2)


@pytest.mark.parametrize("button", ["AI Generate", "Generate"])
def test_two_tabs_that_press_at_once_make_one_run(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row, button: str
) -> None:
    lanes.pause("prompts", by="Jo Beck")
    lanes.pause("images", by="Jo Beck")
    here = desk()
    first = here.open(workspace)
    second = here.context.new_page()
    second.goto(first.url)
    for page in (first, second):
        # The tab that lost the race for a moment still shows the row as it was, whatever the stream has said.
        page.evaluate("button => setTimeout(() => button.click(), 300)", pressable(page, row, button))
    for page in (first, second):
        expect(line(page, row).get_by_role("button", name="Cancel row 1")).to_be_visible()
        expect(line(page, row).locator("[data-said]:not([hidden])")).to_have_count(0)
    assert Job.objects.filter(kind="image").count() == 2
    assert Job.objects.filter(kind="prompt").count() == (1 if button == "AI Generate" else 0)


def pressable(page: Page, row: Row, button: str) -> ElementHandle:
    handle = line(page, row).get_by_role("button", name=button, exact=True).element_handle()
    assert handle is not None
    return handle


def test_runs_started_beside_the_page_are_said_and_stopped_together(
    stack: Stack, desk: Desks, owner: User, workspace: Workspace, row: Row
) -> None:
    lanes.pause("images", by="Jo Beck")
    page = desk().open(workspace)
    for _ in range(3):
        generate_images(user=owner, row_id=row.pk, use_ai_prompt=False)
    expect(line(page, row)).to_contain_text("3 runs of this row are not over.")
    line(page, row).get_by_role("button", name="Cancel 3 runs row 1").click()
    expect(status(page, row)).to_have_text("Cancelled")
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}


def test_a_run_after_the_next_is_a_new_one(stack: Stack, desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    for made in (2, 4):
        line(page, row).get_by_role("button", name="Generate", exact=True).click()
        wait_until(lambda made=made: GeneratedImage.objects.count() == made, what=f"{made} images")
        expect(status(page, row)).to_have_text("Done", timeout=LONG)


def test_cancel_in_the_queue(stack: Stack, desk: Desks, workspace: Workspace, row: Row) -> None:
    lanes.pause("images", by="Jo Beck")
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(status(page, row)).to_have_text("Paused")
    expect(line(page, row)).to_contain_text("Images were paused by Jo Beck")
    line(page, row).get_by_role("button", name="Cancel row 1").click()
    expect(status(page, row)).to_have_text("Cancelled")
    expect(line(page, row)).to_contain_text("Nothing was charged.")
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}


def test_the_queue_drawer_reorders_and_cancels(desk: Desks, workspace: Workspace, add_row: Callable[..., Row]) -> None:
    lanes.pause("images", by="Jo")
    first, second = add_row(), add_row("rocket.jpg")
    page = desk().open(workspace)
    for row in (first, second):
        line(page, row).get_by_role("button", name="Generate", exact=True).click()
        expect(status(page, row)).to_have_text("Paused")
    page.locator("#queue-button").click()
    names = page.locator("#queue .job strong")
    first_row, second_row = "Row 1 · hubble_deep_field.jpg", "Row 2 · rocket.jpg"
    expect(names).to_have_text([first_row, second_row])
    expect(page.locator("#queue")).to_contain_text("2 rows need somebody.")
    page.get_by_role("button", name=f"Move {second_row} up").click()
    expect(names).to_have_text([second_row, first_row])
    page.keyboard.press("Alt+ArrowDown")
    expect(names).to_have_text([first_row, second_row])
    page.get_by_role("link", name="The queue as a page").click()
    expect(page).to_have_title("My queue · Pressroom")
    names = page.locator("#queue-list .job strong")
    expect(names).to_have_text([first_row, second_row])
    page.get_by_role("button", name=f"Move {second_row} up").click()
    expect(names).to_have_text([second_row, first_row])
    page.get_by_role("button", name=f"Cancel {first_row}").click()
    expect(names).to_have_text([second_row])
    page.get_by_role("link", name=second_row).click()
    expect(status(page, first)).to_have_text("Cancelled")


def test_a_prompt_is_saved_when_left_and_ctrl_enter_generates(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    field = line(page, row).get_by_role("textbox", name="Prompt for row 1")
    field.fill("A cat among galaxies, soft light.")
    field.blur()
    expect(line(page, row).locator("[data-prompt-note]")).to_contain_text("Typed by you")
    row.refresh_from_db()
    assert row.prompt_override == "A cat among galaxies, soft light."
    field.fill("A cat among galaxies, hard light.")
    field.press("Control+Enter")
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    assert set(GeneratedImage.objects.values_list("prompt", flat=True)) == {"A cat among galaxies, hard light."}


def test_text_being_typed_survives_what_happens_to_the_row(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    field = line(page, row).get_by_role("textbox", name="Prompt for row 1")
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    field.click()
    field.press_sequentially("Half a sente", delay=30)
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    expect(field).to_have_value("Half a sente")
    expect(field).to_be_focused()


def test_text_typed_without_a_connection_is_kept_and_saved_later(desk: Desks, workspace: Workspace, row: Row) -> None:
    here = desk()
    page = here.open(workspace)
    here.context.set_offline(True)
    field = line(page, row).get_by_role("textbox", name="Prompt for row 1")
    field.fill("Written on a train.")
    field.blur()
    expect(line(page, row).locator("[data-prompt-note]")).to_contain_text("kept here")
    here.context.set_offline(False)
    expect(line(page, row).locator("[data-prompt-note]")).to_contain_text("Typed by you", timeout=LONG)
    row.refresh_from_db()
    assert row.prompt_override == "Written on a train."


def test_the_wand_writes_the_prompt_into_the_row(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="Ask for an AI prompt for row 1").click()
    expect(line(page, row).get_by_role("textbox", name="Prompt for row 1")).not_to_have_value("", timeout=LONG)
    expect(line(page, row).locator("[data-prompt-note]")).to_contain_text("Written by Grok")
    assert Job.objects.filter(kind="image").count() == 0


def test_the_lightbox_by_keyboard(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    opener = line(page, row).locator("[data-open-image]").first
    opener.focus()
    page.keyboard.press("Enter")
    place = page.locator("#lightbox [data-place]")
    expect(place).to_have_text("· 1 of 2")
    page.keyboard.press("ArrowRight")
    expect(place).to_have_text("· 2 of 2")
    page.keyboard.press("f")
    expect(page.locator("#lightbox [data-fav]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("4")
    expect(page.locator("#lightbox [name=rating][value='4']")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator("#lightbox")).to_be_hidden()
    kept = GeneratedImage.objects.get(favourite=True)
    assert kept.rating == 4
    expect(line(page, row).locator("[data-favourite-image][aria-pressed=true]")).to_have_count(1)


def test_chosen_pictures_become_rows_and_a_wrong_one_is_named(
    desk: Desks, workspace: Workspace, tmp_path: Path
) -> None:
    wrong = tmp_path / "notes.tif"
    wrong.write_bytes(b"II*\0 not a picture we take")
    page = desk().open(workspace)
    expect(page.get_by_role("heading", name="No rows yet")).to_be_visible()
    page.locator("#files").set_input_files([PHOTOS / "chelsea.png", PHOTOS / "rocket.jpg", wrong])
    expect(page.locator("tr[data-row]")).to_have_count(2)
    expect(page.locator("#uploads")).to_contain_text("notes.tif")
    expect(page.locator("#uploads .field-error")).to_contain_text("cannot be used")
    assert sorted(workspace.rows.values_list("label", flat=True)) == ["chelsea.png", "rocket.jpg"]


def test_the_bar_moves_with_what_was_sent(desk: Desks, workspace: Workspace, row: Row, tmp_path: Path) -> None:
    picture = tmp_path / "noise.png"
    Image.effect_noise((900, 900), 90).convert("RGB").save(picture)
    here = desk()
    page = here.open(workspace)
    slow_line(here, page, bytes_per_second=300_000)
    page.get_by_role("button", name="Add row").click()
    page.locator("#picture input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="Add the row").click()
    bar = page.locator("#picture [data-upload-bar]")
    seen: set[float] = set()

    def moved() -> bool:
        seen.add(bar.evaluate("bar => bar.position"))
        return len({place for place in seen if 0 < place < 1}) >= 2

    wait_until(moved, what="two places of the bar")
    slow_line(here, page, bytes_per_second=-1)
    expect(page.locator("tr[data-row]")).to_have_count(2, timeout=LONG)
    expect(page.locator("#filters")).to_contain_text("All 2")


def slow_line(here: Desk, page: Page, *, bytes_per_second: int) -> None:
    """-1: as fast as it goes."""
    session = here.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", limits)


def test_the_price_beside_generate_is_quoted(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    quote = line(page, row).locator(".quote")
    expect(quote).to_have_text(re.compile(r"^2 images · \$"))
    assert not Call.objects.filter(purpose="submit").exists()


def test_a_lost_image_is_tried_again_by_the_button_that_its_words_name(
    desk: Desks, workspace: Workspace, row: Row
) -> None:
    workspace.images_per_generate = 1
    workspace.save()
    lanes.pause("images", by="Jo")
    page = desk().open(workspace)
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(status(page, row)).to_have_text("Paused")
    job = Job.objects.get()
    with transaction.atomic():  # no worker sees the lane open
        lanes.lift("lane", "images")
        lease = lifecycle.claim(lane="images", worker="tests")
        lanes.pause("images", by="Jo")
    assert lease is not None
    words = ("result_lost", "WaveSpeed lost the result before we could fetch it.", "Try it again.")
    assert lifecycle.fail(lease, lifecycle.Failure(*words, remedy=Remedy.RETRY))
    expect(line(page, row)).to_contain_text("WaveSpeed lost the result")
    expect(line(page, row)).to_contain_text("Nothing was charged.")
    lanes.resume("images")
    line(page, row).get_by_role("button", name="Try it again").click()
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    assert job.retries.count() == 1


def test_a_row_is_added_by_address_and_a_wrong_address_is_explained(
    desk: Desks, workspace: Workspace, row: Row
) -> None:
    page = desk().open(workspace)
    page.get_by_role("button", name="Add row").click()
    page.get_by_label("The address of a picture", exact=True).fill("http://127.0.0.1:9/secret.png")
    page.get_by_role("button", name="Add the row").click()
    expect(page.get_by_role("alert").filter(has_text="names port 9")).to_be_visible()
    assert Row.objects.count() == 1, "a wrong address makes no row"
    page.get_by_label("The address of a picture", exact=True).fill(urljoin(page.url, row.target_url))
    page.get_by_role("button", name="Add the row").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)


def test_a_deleted_row_can_be_brought_back(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    page.get_by_role("button", name="More for row 1").click()
    page.get_by_role("menuitem", name="Delete row").click()
    expect(line(page, row)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(line(page, row)).to_be_visible()
    assert Row.objects.filter(pk=row.pk).exists()


def test_a_row_takes_the_shape_of_its_target(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    page.get_by_role("button", name="More for row 1").click()
    page.get_by_role("menuitem", name="Use the target's shape").click()
    expect(line(page, row)).to_have_attribute("data-ratio", "target")
    row.refresh_from_db()
    assert row.match_target_ratio
    page.get_by_role("button", name="More for row 1").click()
    expect(page.get_by_role("menuitem", name="Use the workspace's shape")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="More for row 1")).to_be_focused()


def test_several_rows_at_once(desk: Desks, workspace: Workspace, add_row: Callable[..., Row]) -> None:
    rows = [add_row(), add_row("rocket.jpg")]
    page = desk().open(workspace)
    page.get_by_label("Select every row shown").check()
    bar = page.get_by_role("group", name="With the selected rows")
    expect(bar).to_contain_text("2 rows")
    bar.get_by_role("button", name="Generate", exact=True).click()
    for row in rows:
        expect(status(page, row)).to_have_text("Done", timeout=LONG)
    assert GeneratedImage.objects.count() == 4


def test_settings_are_saved(desk: Desks, workspace: Workspace, row: Row) -> None:
    page = desk().open(workspace)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Name").fill("Winter posters")
    page.get_by_text("Wait for a person to type one").click()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Winter posters")
    workspace.refresh_from_db()
    assert (workspace.name, workspace.on_prompt_failure) == ("Winter posters", "wait")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1024, 1440])
def test_nothing_scrolls_sideways(desk: Desks, workspace: Workspace, row: Row, width: int, theme: str) -> None:
    here = desk(viewport={"width": width, "height": 844}, color_scheme=theme)
    page = here.open(workspace)
    for path in (f"/workspaces/{workspace.pk}", "/", "/account"):
        page.goto(here.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_at_phone_width_rows_are_cards_and_the_queue_is_in_the_tab_bar(
    desk: Desks, workspace: Workspace, row: Row
) -> None:
    page = desk(viewport={"width": 390, "height": 844}, has_touch=True).open(workspace)
    expect(page.locator("thead")).to_be_hidden()
    expect(line(page, row)).to_have_css("display", "grid")
    line(page, row).get_by_role("button", name="Generate", exact=True).tap()
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
    page.locator(".tabbar").get_by_role("button", name="Queue").tap()
    expect(page.get_by_role("heading", name="My queue")).to_be_visible()


def test_the_theme_is_remembered(desk: Desks, workspace: Workspace) -> None:
    page = desk(color_scheme="light").open(workspace)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    toggle = page.locator("[data-theme-toggle]")
    toggle.click()
    toggle.click()
    expect(toggle).to_have_attribute("aria-label", "Theme: dark")
    assert page.evaluate(paper) != light
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


# Last of the module: it ends the live stream for good.
def test_the_page_says_when_the_line_is_gone_and_when_it_is_back(
    stack: Stack, desk: Desks, workspace: Workspace, row: Row
) -> None:
    here = desk()
    page = here.open(workspace)
    stack.kill("live")
    here.context.set_offline(True)
    expect(page.locator("[data-offline]")).to_be_visible(timeout=LONG)
    here.context.set_offline(False)
    expect(page.locator("[data-offline]")).to_be_hidden(timeout=LONG)
    # without the stream the page polls, and still ends up true
    line(page, row).get_by_role("button", name="Generate", exact=True).click()
    expect(status(page, row)).to_have_text("Done", timeout=LONG)
