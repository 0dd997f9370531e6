"""Every test runs against a real PostgreSQL and Redis: our own, unless DATABASE_URL and REDIS_URL name others."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django
import pytest

from apps.launch.testing import EmbeddedServers, embedded_servers

# Started while this file is imported, and the settings module is named only here and not in pyproject.toml:
# pytest-django would read the settings, and with them DATABASE_URL, before any conftest.
_run = ExitStack()
_directory = Path(_run.enter_context(tempfile.TemporaryDirectory(prefix="pressroom-tests-")))
# Each process of a run in parallel has servers of its own: one Redis for all would mix up their wake-ups and events.
if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("PRESSROOM_TEST_SERVERS") == "embedded":
    del os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    os.environ["PRESSROOM_TEST_SERVERS"] = "embedded"
    for _name in [name for name in os.environ if name.startswith("PG")]:  # they would lead to another server
        del os.environ[_name]
    _servers = _run.enter_context(embedded_servers(_directory))
    os.environ.setdefault("DATABASE_URL", _servers.database_url)
    os.environ.setdefault("REDIS_URL", _servers.redis_url)
os.environ["PRESSROOM_DATA_DIR"] = str(_directory / "data")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()  # the conftest of a folder named on the command line is imported right after this one


@pytest.fixture(scope="session")
def servers() -> EmbeddedServers:
    """The run's own servers, for tests that kill and restart them."""
    if "_servers" not in globals():
        pytest.skip("The servers of DATABASE_URL and REDIS_URL are not ours to kill.")
    return _servers


def pytest_unconfigure(config: pytest.Config) -> None:
    _run.close()
