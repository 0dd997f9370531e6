"""Pressroom's web process as it is really started, for clients with sockets."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts.models import User
from tests.factories import UserFactory, large_asset, token_for
from tests.support.stack import Stack, running


@pytest.fixture(scope="module")
def patience() -> dict[str, str]:
    """The limits of the module's server; by default so long that what is slow stays open while a test looks."""
    return {"PRESSROOM_BODY_GRACE_SECONDS": "300", "PRESSROOM_PIECE_SECONDS": "300"}


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    patience: dict[str, str],
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running(tmp_path_factory.mktemp("front"), **patience) as stack:
        stack.web()
        yield stack


@pytest.fixture
def owner(transactional_db: None) -> User:
    return UserFactory()


@pytest.fixture
def token(owner: User) -> str:
    return str(token_for(owner)[1])


@pytest.fixture
def picture(owner: User) -> str:
    """The path of a file of 16 MB: more than the system keeps for a reader that does not read."""
    return large_asset(owner)
