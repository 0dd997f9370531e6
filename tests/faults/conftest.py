"""One stack of real processes for each module, with failpoints that a test can arm; every test ends with the invariants."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.studio.models import Workspace
from tests.faults import invariants, scene
from tests.faults.armed import FaultStack


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultStack]:
    stack = FaultStack(tmp_path_factory.mktemp("faults"))
    try:
        with django_db_blocker.unblock():
            stack.clock()
            stack.worker()
            yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(transactional_db: None, processes: FaultStack) -> Iterator[FaultStack]:
    """The module's processes, and the database empty. Afterwards every invariant holds, whatever the test did."""
    processes.start_over()
    yield processes
    invariants.check(processes.simulator.ledger())


@pytest.fixture
def owner(transactional_db: None) -> User:
    return scene.person()


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return scene.workspace_of(owner)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
