"""The deployment check, run for real: web's own process asks, workers, beat and the simulator answer."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from apps.core.broker import hints
from apps.jobs.models import Job
from apps.studio.models import Row, Workspace
from tests.support.stack import Stack, running

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def stack(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(hints, "closed_until", 0.0)
    with running(tmp_path) as stack:
        settings.SITE_URL = stack.url
        settings.SIMULATED = ["xai", "wavespeed"]
        settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"xai": "simulator", "wavespeed": "simulator"}
        settings.PROVIDER_BASES = settings.PROVIDER_BASES | {
            "xai": stack.simulator.xai_base,
            "wavespeed": stack.simulator.wavespeed_base,
        }
        stack.worker()
        stack.clock()
        yield stack


def test_verify_runs_a_job_of_each_kind_and_says_what_stands_in_the_way(stack: Stack) -> None:
    out = StringIO()
    call_command("verify", seconds=120, stdout=out)
    lines = out.getvalue().splitlines()
    up = ["database", "redis", "workers", "beat", "storage", "keys", "providers"]
    assert [line.split()[:2] for line in lines[:-1]] == [["ok", name] for name in [*up, "queue", "prompt", "image"]]
    assert lines[-1] == "Everything works."
    assert len(stack.simulator.ledger("wavespeed")) == 1
    assert not Row.objects.exists(), "it removes what it made"
    assert not Workspace.objects.exists()

    stack.simulator.scenario("wavespeed", match={"path": "seedream"}, times=None, status=402)
    out = StringIO()
    with pytest.raises(CommandError, match="A job did not work"):
        call_command("verify", seconds=15, stdout=out)
    assert "FAIL  image" in out.getvalue()
    assert "WaveSpeed has no credits left.  → Buy credits at WaveSpeed." in out.getvalue()

    out = StringIO()
    with pytest.raises(CommandError, match="Not everything is up"):
        call_command("verify", seconds=15, stdout=out)
    assert "FAIL  providers WaveSpeed has no credits left. Tried next at " in out.getvalue()
    assert "manage.py queue release provider wavespeed" in out.getvalue()
    assert not Job.objects.live().exists(), "what it could not run it does not leave behind"
