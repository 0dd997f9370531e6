"""A workspace of real photographs, and the processes that work it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.accounts.models import User
from apps.assets.library import store_upload
from apps.assets.urls import asset_url
from apps.studio.demo import PHOTOS
from apps.studio.models import Row, Workspace
from tests.support.stack import Stack, running


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ada", password="a long password")


@pytest.fixture
def photo(owner: User) -> Callable[[str], str]:
    def url(name: str) -> str:
        with (PHOTOS / name).open("rb") as file:
            return asset_url(store_upload(owner=owner, file=file, name=name))

    return url


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return Workspace.objects.create(
        owner=owner,
        name="Posters",
        default_prompt="A calm autumn poster in warm light.",
        output_width=1024,
        output_height=1024,
    )


@pytest.fixture
def row(workspace: Workspace, photo: Callable[[str], str]) -> Row:
    return Row.objects.create(
        workspace=workspace, target_url=photo("hubble_deep_field.jpg"), ref_urls=[photo("chelsea.png")]
    )


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Workers and beat, started once for the tests of a module: each test has the database to itself."""
    with django_db_blocker.unblock(), running(tmp_path_factory.mktemp("stack")) as stack:
        stack.clock()
        stack.worker()
        yield stack


@pytest.fixture
def stack(transactional_db: None, processes: Stack) -> Stack:
    processes.simulator.reset()
    return processes
