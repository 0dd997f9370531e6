"""A seller with a cup, and a Pressroom of real workers and simulated providers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.jobs.models import Job
from apps.listings.models import Project
from apps.listings.photos import add_photo
from apps.listings.projects import create_project
from apps.providers.registry import PROVIDERS
from tests.support.stack import Stack, running, wait_until

PHOTOS = Path(__file__).resolve().parents[2] / "apps" / "listings" / "demo_photos"
FACTS: list[dict[str, str]] = [
    {"label": "Volume", "value": "80 ml"},
    {"label": "Wall", "value": "6 mm"},
    {"label": "Fired at", "value": "1,280 °C"},
    {"label": "Oven-safe", "value": "yes"},
    {"key": "width", "label": "Saucer", "value": "12 cm"},
    {"key": "height", "label": "Height", "value": "7 cm"},
]


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running(tmp_path_factory.mktemp("stack")) as stack:
        stack.clock()
        stack.worker(queues="listings", pool="threads", concurrency=8)
        yield stack


@pytest.fixture
def stack(transactional_db: None, processes: Stack, settings: LazySettings) -> Iterator[Stack]:
    processes.simulator.reset()
    settings.SIMULATED = list(PROVIDERS)  # as its processes have it
    yield processes
    wait_until(lambda: not Job.objects.processing().exists(), what="no job at work")


@pytest.fixture
def seller(db: None) -> User:
    return User.objects.create_user("ada", password="a long password")


@pytest.fixture
def make_cup(seller: User) -> Callable[..., Project]:
    """A cup with its photograph and facts; `compared` adds a second product of the range."""

    def make(*, name: str = "Espresso cup", compared: bool = True, facts: Any = FACTS, **more: Any) -> Project:
        project = create_project(user=seller, name=name, sku="EMO-CUP-080-RED", facts=facts, **more)
        with (PHOTOS / "cup.png").open("rb") as file:
            add_photo(project, file=SimpleUploadedFile("cup.png", file.read(), "image/png"), name="cup.png")
        if compared:
            small = [{"label": "Volume", "value": "50 ml"}, {"label": "Wall", "value": "5 mm"}]
            project.compared_with.add(create_project(user=seller, name="Ristretto cup", facts=small))
        return project

    return make
