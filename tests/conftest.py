"""Every test runs against a real PostgreSQL and Redis: our own, unless DATABASE_URL and REDIS_URL name others."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django
import pytest
from django.core.management.base import CommandError
from django.test import TransactionTestCase
from playwright.sync_api import Browser, sync_playwright

from apps.launch.testing import EmbeddedServers, embedded_servers
from tests.support.chromium import chromium

# A shell that puts the run into the background has INT ignored, and every process below would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Started while this file is imported, and the settings module is named only here and not in pyproject.toml:
# pytest-django would read the settings, and with them DATABASE_URL, before any conftest.
_run = ExitStack()
_directory = Path(_run.enter_context(tempfile.TemporaryDirectory(prefix="pressroom-tests-")))
_given = {
    name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL", "PRESSROOM_DATA_DIR", "DJANGO_SETTINGS_MODULE")
}
if not (_given["DATABASE_URL"] and _given["REDIS_URL"]):
    for _name in [name for name in os.environ if name.startswith("PG")]:  # they would lead to another server
        del os.environ[_name]
    _servers = _run.enter_context(embedded_servers(_directory))
    os.environ.setdefault("DATABASE_URL", _servers.database_url)
    os.environ.setdefault("REDIS_URL", _servers.redis_url)
os.environ["PRESSROOM_DATA_DIR"] = str(_directory / "data")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
# Playwright's sync API runs an event loop in this thread; Django would refuse its ORM there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()  # the conftest of a folder named on the command line is imported right after this one


def _patient_teardown(test: TransactionTestCase) -> None:
    """Emptying the tables among live workers may lose a deadlock, or wait too long for a lock: it is repeated."""
    for tries_left in range(9, -1, -1):
        try:
            return _teardown(test)
        except CommandError:
            if not tries_left:
                raise
    return None


_teardown = TransactionTestCase._fixture_teardown
TransactionTestCase._fixture_teardown = _patient_teardown


@pytest.fixture(scope="session")
def servers() -> EmbeddedServers:
    """The run's own servers, for tests that kill and restart them."""
    if "_servers" not in globals():
        pytest.skip("DATABASE_URL and REDIS_URL name servers that a test may not kill: unset both to run this one too.")
    return _servers


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: Playwright's loop cannot be started twice in a thread."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def pytest_configure(config: pytest.Config) -> None:
    """Each process of a run in parallel starts servers of its own: one Redis for all would mix up wake-ups and events.

    So what this process has set for itself is taken back before it starts them.
    """
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        for name, value in _given.items():
            os.environ.pop(name, None)
            if value:
                os.environ[name] = value


def pytest_unconfigure(config: pytest.Config) -> None:
    _run.close()
