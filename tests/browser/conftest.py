"""A real Chromium at a real Pressroom: web, live stream, workers, beat and simulator as processes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from apps.accounts.models import User
from apps.assets.library import store_upload
from apps.jobs.models import Job
from apps.studio.demo import PHOTOS
from apps.studio.models import Row, Workspace
from tests.support.stack import Stack, running, wait_until

PASSWORD = "a long password"
# A browser may say what the policy forbade only where a report address is set; this says it in the console besides.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", event =>
  console.error(`policy ${event.effectiveDirective} forbade ${event.blockedURI} at ${event.sourceFile}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.workers)


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running(tmp_path_factory.mktemp("stack")) as stack:
        stack.clock()
        stack.worker()
        stack.web()
        yield stack


@pytest.fixture
def stack(transactional_db: None, processes: Stack) -> Iterator[Stack]:
    processes.simulator.reset()
    yield processes
    # The tables are emptied next; a worker in the middle of a job would deadlock with that.
    wait_until(lambda: not Job.objects.processing().exists(), what="no job at work")


@pytest.fixture
def owner(stack: Stack) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return Workspace.objects.create(
        owner=owner,
        name="Posters",
        default_prompt="A calm autumn poster in warm light.",
        output_width=1024,
        output_height=1024,
        images_per_generate=2,
    )


@pytest.fixture
def add_row(stack: Stack, owner: User, workspace: Workspace) -> Callable[..., Row]:
    """A row of two real photographs."""

    def url(name: str) -> str:
        with (PHOTOS / name).open("rb") as file:
            return f"{stack.url}/media/assets/{store_upload(owner=owner, file=file, name=name).pk}"

    def add(target: str = "hubble_deep_field.jpg", reference: str = "chelsea.png", **fields: Any) -> Row:
        position = workspace.rows.count()
        return Row.objects.create(
            workspace=workspace,
            target_url=url(target),
            ref_urls=[url(reference)],
            label=target,
            position=position,
            **fields,
        )

    return add


@pytest.fixture
def row(add_row: Callable[..., Row]) -> Row:
    return add_row()


class Desk:
    """One browser context signed in, and what went wrong in its pages: every test ends by asking that nothing did."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.mistakes: list[str] = []
        context.on("weberror", lambda error: self.mistakes.append(str(error.error)))
        context.on("console", self._heard)
        context.add_init_script(TELL_VIOLATIONS)

    def _heard(self, message: Any) -> None:
        """What the page was refused is its own affair (offline, 404, 409); a 5xx is nobody's."""
        refused = "Failed to load resource" in message.text and "status of 5" not in message.text
        if message.type == "error" and not refused:
            self.mistakes.append(message.text)

    def sign_in(self, username: str = "ada") -> Page:
        page = self.context.new_page()
        page.goto(f"{self.url}/signin")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.url}/")
        return page

    def open(self, workspace: Workspace) -> Page:
        page = self.context.pages[0] if self.context.pages else self.sign_in()
        page.goto(f"{self.url}/workspaces/{workspace.pk}")
        return page


@pytest.fixture
def desk(browser: Browser, stack: Stack, owner: User) -> Iterator[Callable[..., Desk]]:
    """Makes desks; keyword arguments go to the browser context (viewport, color_scheme …)."""
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}} | options)
        context.set_default_timeout(20_000)
        made.append(Desk(context, stack.url))
        return made[-1]

    yield make
    mistakes = [mistake for one in made for mistake in one.mistakes]
    for one in made:
        one.context.close()
    assert not mistakes, mistakes
