"""The desk is tested with the engine's owner and jobs."""

from tests.jobs.conftest import _unlimited, enqueue, other, owner  # noqa: F401 - fixtures
