"""Each reason why a row waits, reached by what really causes it, and what the row's status cell says then.

With PRESSROOM_PICTURES naming a folder, the rows are put together there as waits.png (docs/waits.md shows it).
"""

import base64
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html_join
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from apps.accounts.models import Budget, User
from apps.assets.library import store_upload
from apps.desk import operations
from apps.desk.estimates import describe
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job, Lane, Worker
from apps.jobs.states import Reason, known_reasons
from apps.jobs.values import NewJob
from apps.providers.models import Breaker
from apps.studio.demo import PHOTOS
from apps.studio.models import ImageJob, Row, Workspace
from apps.studio.rows import subject_of
from apps.studio.services import generate_images
from apps.studio.states import NEEDS_PROMPT
from tests.browser.conftest import Desk
from tests.support.stack import Stack, wait_until

LONG = 60_000  # milliseconds on a busy machine
PHOTOGRAPHS = ("hubble_deep_field.jpg", "coffee.png", "chelsea.png", "rocket.jpg")
ORDER, ASK = {"path": "seedream"}, {"path": "/chat/completions"}  # the paid request of an image, of a prompt
Shots = dict[str, bytes]


@dataclass(frozen=True)
class Scene:
    """An open workspace page, and its rows by the reason that each is going to wait for."""

    stack: Stack
    page: Page
    workspace: Workspace
    rows: dict[str, Row]

    def place(self, reason: str) -> Locator:
        return self.page.locator(f"#row-{self.rows[reason].pk}")

    def press(self, reason: str, button: str = "Generate") -> None:
        self.place(reason).get_by_role("button", name=button, exact=True).click()

    def others(self, reason: str) -> list[Row]:
        return [row for one, row in self.rows.items() if one != reason]

    def occupy(self, rows: list[Row], *, use_ai_prompt: bool = False) -> None:
        """These rows' first jobs are at work, and stay so while the page is looked at."""
        self.stack.simulator.scenario("wavespeed", match=ORDER, times=None, task_delay_ms=60_000)
        # Shorter, because a prompt that is cancelled ends when xAI has answered, and the next test waits for that.
        self.stack.simulator.scenario("xai", match=ASK, times=None, delay_ms=15_000)
        for row in rows:
            generate_images(user=self.workspace.owner, row_id=row.pk, use_ai_prompt=use_ai_prompt)
        wait_until(lambda: Job.objects.processing().count() == len(rows), what="the places are taken")


# --- How each comes about --------------------------------------------------------------------------
def dependency(scene: Scene) -> None:
    Lane.objects.filter(name="prompts").update(limit=1)
    scene.occupy(scene.others(Reason.DEPENDENCY)[:1], use_ai_prompt=True)
    scene.press(Reason.DEPENDENCY, "AI Generate")


def needs_prompt(scene: Scene) -> None:
    Workspace.objects.filter(pk=scene.workspace.pk).update(on_prompt_failure="wait")
    scene.stack.simulator.scenario("xai", match=ASK, times=None, refusal=True)
    scene.press(NEEDS_PROMPT, "AI Generate")


def lane_paused(scene: Scene) -> None:
    lanes.pause("images", by="Jo Beck")
    scene.press(Reason.LANE_PAUSED)


def provider_held(scene: Scene) -> None:
    operations.hold_provider("wavespeed", by="Jo Beck", note="the account is being moved")
    scene.press(Reason.PROVIDER_HELD)


def owner_held(scene: Scene) -> None:
    operations.hold_owner(scene.workspace.owner.username, by="Jo Beck")
    scene.press(Reason.OWNER_HELD)


def owner_limit(scene: Scene) -> None:
    Lane.objects.filter(name="images").update(owner_limit=2)
    scene.occupy(scene.others(Reason.OWNER_LIMIT)[:2])
    scene.press(Reason.OWNER_LIMIT)


def lane_limit(scene: Scene) -> None:
    Lane.objects.filter(name="images").update(limit=2)
    scene.occupy(scene.others(Reason.LANE_LIMIT)[:2])
    scene.press(Reason.LANE_LIMIT)


def rate_limited(scene: Scene) -> None:
    scene.stack.simulator.scenario("wavespeed", match=ORDER, status=429, headers={"Retry-After": "40"})
    scene.press(Reason.RATE_LIMITED)


def breaker_open(scene: Scene) -> None:
    scene.stack.simulator.scenario("wavespeed", match=ORDER, times=None, status=503)
    for row in scene.others(Reason.BREAKER_OPEN)[:6]:
        generate_images(user=scene.workspace.owner, row_id=row.pk, use_ai_prompt=False)
    wait_until(lambda: Breaker.objects.filter(state="open").exists(), what="the breaker opened")
    scene.press(Reason.BREAKER_OPEN)


def budget(scene: Scene) -> None:
    Budget.objects.create(owner=scene.workspace.owner, amount_usd=Decimal("0.01"))
    scene.press(Reason.BUDGET)


def backoff(scene: Scene) -> None:
    scene.stack.simulator.scenario("wavespeed", match=ORDER, status=503, headers={"Retry-After": "40"})
    scene.press(Reason.BACKOFF)


def scheduled_for(scene: Scene) -> None:
    """No button asks for later; code that queues a job does."""
    row, later = scene.rows[Reason.SCHEDULED], timezone.now() + timedelta(minutes=40)
    new = NewJob(kind="image", owner_id=scene.workspace.owner_id, subject=subject_of(row), run_after=later)
    job_id = lifecycle.enqueue([new])[new.uid]
    Row.objects.filter(pk=row.pk).update(generation=row.pk)
    asked = {"prompt": "A poster.", "generation_model": settings.IMAGE_MODEL, "width": 1024, "height": 1024}
    ImageJob.objects.create(job_id=job_id, row=row, generation=row.pk, **asked)
    scene.page.reload()


def no_worker(scene: Scene) -> None:
    """Its silence is moved into the past: fifteen seconds of it need not be waited for."""
    workers = Worker.objects.filter(lanes__contains=["images"])
    wait_until(workers.exists, what="the worker was seen, in the tables that this test found empty")
    scene.stack.kill("worker")
    workers.update(alive_at=timezone.now() - timedelta(minutes=5))
    scene.press(Reason.NO_WORKER)


# The code, how it comes about, the badge, and the words that tell it from the others.
WAITS: dict[str, tuple[Callable[[Scene], None], str, str]] = {
    Reason.DEPENDENCY: (dependency, "Waiting for the prompt", "Images start when the prompt is there."),
    NEEDS_PROMPT: (needs_prompt, "Needs your prompt", "Type a prompt and press Generate."),
    Reason.LANE_PAUSED: (lane_paused, "Paused", "Images were paused by Jo Beck"),
    Reason.PROVIDER_HELD: (provider_held, "Held", "WaveSpeed was switched off by Jo Beck"),
    Reason.OWNER_HELD: (owner_held, "Held", "Your jobs were held back by Jo Beck"),
    Reason.OWNER_LIMIT: (owner_limit, "In queue", "2 of your jobs run"),
    Reason.LANE_LIMIT: (lane_limit, "In queue", "All 2 image places are busy."),
    Reason.RATE_LIMITED: (rate_limited, "Held", "WaveSpeed asked us to slow down."),
    Reason.BREAKER_OPEN: (breaker_open, "Held", "WaveSpeed is overloaded or broken"),
    Reason.BUDGET: (budget, "Held", "at once when the budget is raised"),
    Reason.BACKOFF: (backoff, "Trying again", "Try 2 of 4"),
    Reason.SCHEDULED: (scheduled_for, "Scheduled", "as you asked"),
    Reason.NO_WORKER: (no_worker, "Held", "Nobody works on images since"),
}


def test_every_reason_is_here() -> None:
    assert set(WAITS) == set(known_reasons()) - {Reason.CHILDREN}, "Studio has no parents"


@pytest.mark.parametrize("reason", list(WAITS))
def test_a_row_that_waits_says_why(scene: Scene, shots: Shots, reason: str) -> None:
    reach, badge, words = WAITS[reason]
    reach(scene)
    place = scene.place(reason)
    expect(place.locator(".status .badge")).to_have_text(badge, timeout=LONG)
    expect(place.locator(".status")).to_contain_text(words)
    assert reason in reasons_of(scene.rows[reason])
    scene.page.mouse.move(0, 0)  # a row under the pointer is shaded
    shots[reason] = place.screenshot(animations="disabled")


def reasons_of(row: Row) -> set[str]:
    return {outlook.reason for outlook in describe(list(Job.objects.filter(subject=subject_of(row)))).values()}


# --- The scene and its picture ---------------------------------------------------------------------
@pytest.fixture
def rows(stack: Stack, owner: User, workspace: Workspace) -> dict[str, Row]:
    def url(name: str) -> str:
        with (PHOTOS / name).open("rb") as file:
            return f"{stack.url}/media/assets/{store_upload(owner=owner, file=file, name=name).pk}"

    urls = [url(name) for name in PHOTOGRAPHS]
    return {
        reason: Row.objects.create(
            workspace=workspace,
            label=reason,
            target_url=urls[number % 4],
            ref_urls=[urls[(number + 1) % 4]],
            position=number,
        )
        for number, reason in enumerate(WAITS)
    }


@pytest.fixture
def scene(stack: Stack, desk: Callable[..., Desk], workspace: Workspace, rows: dict[str, Row]) -> Iterator[Scene]:
    Workspace.objects.filter(pk=workspace.pk).update(images_per_generate=1)
    yield Scene(stack, desk().open(workspace), workspace, rows)
    lifecycle.request_cancel(list(Job.objects.filter(finished_at=None).values_list("pk", flat=True)))
    if "worker" not in stack.processes:
        stack.worker()


@pytest.fixture(scope="module")
def shots(browser: Browser) -> Iterator[Shots]:
    taken: Shots = {}
    yield taken
    folder = os.environ.get("PRESSROOM_PICTURES")
    if folder and set(taken) == set(WAITS):
        save_together(browser, taken, Path(folder) / "waits.png")


PLATE = """<style>body { margin: 0; padding: 12px 32px 24px; background: #fff; font: 600 15px monospace }
p { margin: 14px 0 4px } img { display: block; max-width: 100% }</style>"""


def save_together(browser: Browser, taken: Shots, path: Path) -> None:
    """Each row under its code, 1440 pixels wide, in few enough colours to be a small file."""
    each = ((str(reason), base64.b64encode(taken[reason]).decode()) for reason in WAITS)
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_content(PLATE + format_html_join("", '<p>{}</p><img src="data:image/png;base64,{}">', each))
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    page.close()
    picture.convert("RGB").quantize(128).save(path, optimize=True)
