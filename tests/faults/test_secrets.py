"""F39: everything is run with secrets that can be recognised, and then looked for where nobody may find them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from django.conf import settings
from django.db import connection

from apps.accounts.models import User, create_token
from apps.jobs.models import Job
from apps.launch.postgres import binary
from apps.studio.models import Workspace
from tests.faults import scene
from tests.faults.armed import FaultStack

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

CANARIES = {
    "XAI_API_KEY": "xai-canary-71c0ffee71c0ffee71c0ffee",
    "WAVESPEED_API_KEY": "wsk-canary-82c0ffee82c0ffee82c0ffee",
    "WAVESPEED_WEBHOOK_SECRET": "whsec_canary93c0ffee93c0ffee93c0ffee",
    "CRON_SECRET": "cron-canary-a4c0ffeea4c0ffeea4c0ffee",
    "SECRET_KEY": "django-canary-b5c0ffeeb5c0ffeeb5c0ffeeb5c0ffeeb5c0ffee",
}
PAGES = ("/api/jobs", "/api/prompt/queue", "/api/init", "/api/workspaces", "/api/schema", "/health/ready", "/signin")


@pytest.fixture(scope="module")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultStack]:
    stack = FaultStack(tmp_path_factory.mktemp("secrets"), **CANARIES)
    try:
        with django_db_blocker.unblock():
            stack.clock()
            stack.worker()
            stack.web()
            yield stack
    finally:
        stack.stop()


def test_no_secret_is_in_logs_tables_redis_or_answers(
    stack: FaultStack, workspace: Workspace, owner: User, folder: Path
) -> None:
    """One piece of work that goes well, and some that meet a provider which repeats our key in its refusal."""
    for provider in ("xai", "wavespeed"):
        key = CANARIES[f"{provider.upper()}_API_KEY"]
        stack.simulator.account(provider, key=key)
        said = f"Invalid argument in the request with Authorization: Bearer {key} (api_key={key})"
        echo = {"code": 400, "error": said, "message": said}
        stack.simulator.scenario(provider, match={"nth_call": 3}, times=1, status=400, body=echo)
    jobs: list[Job] = []
    for row in scene.rows_in(workspace, 3):
        made = scene.generate(row, ai=True)
        jobs += [*made.jobs, *([made.prompt_job] if made.prompt_job else [])]
    assert "completed" in scene.wait_for(jobs, seconds=90)
    token = create_token(user=owner, name="tests", scopes=["read", "write"])[1]
    shown = [
        requests.get(stack.url + page, headers={"Authorization": f"Bearer {token}"}, timeout=20).text for page in PAGES
    ]
    shown += [
        requests.get(f"{stack.url}/api/jobs/{job.uid}", headers={"Authorization": f"Bearer {token}"}, timeout=20).text
        for job in jobs
    ]
    requests.post(f"{stack.url}/api/dispatch", headers={"Authorization": CANARIES["CRON_SECRET"]}, timeout=20)
    places = {
        "answers": "\n".join(shown),
        "logs": "\n".join(log.read_text(errors="replace") for log in stack.folder.glob("*.log")),
        "tables": _tables(),
        "redis": _redis(),
    }
    found = [(name, place) for place, text in places.items() for name, secret in CANARIES.items() if secret in text]
    assert found == []
    assert token not in places["logs"] + places["tables"] + places["redis"]


def _tables() -> str:
    given = connection.settings_dict
    address = f"postgresql://{given['USER']}@/{given['NAME']}?host={given['HOST']}"
    dump = subprocess.run([binary("pg_dump"), "--data-only", address], capture_output=True, text=True, check=True)
    return dump.stdout


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL)
    readers = {b"string": client.get, b"list": lambda key: client.lrange(key, 0, -1), b"hash": client.hgetall}
    return "\n".join(str(readers.get(client.type(key), client.dump)(key)) for key in client.scan_iter())
