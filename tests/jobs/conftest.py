"""What the engine's tests share: an owner, and jobs of a kind that does nothing."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job, Lane
from apps.jobs.values import Lease, NewJob

LANE = "listings"


@pytest.fixture(autouse=True)
def _unlimited(db: None) -> None:
    Lane.objects.filter(name=LANE).update(limit=None)
    lanes.forget_limits()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ada", password="a long password")


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob", password="a long password")


@pytest.fixture
def enqueue(owner: User) -> Callable[..., Job]:
    def make(**wanted: object) -> Job:
        new = NewJob(**{"kind": "noop", "owner_id": owner.pk, **wanted})  # type: ignore[arg-type]
        return Job.objects.get(pk=lifecycle.enqueue([new])[new.uid])

    return make


def claim(worker: str = "w1") -> Lease | None:
    return lifecycle.claim(lane=LANE, worker=worker)
