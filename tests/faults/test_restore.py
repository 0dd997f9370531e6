"""The commands of docs/operations.md for a bad day: back-up, restore elsewhere, roll one release back, go on."""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apps.jobs import lifecycle
from apps.jobs.models import Job
from apps.launch.postgres import binary
from apps.studio.models import Workspace
from tests.factories import GeneratedImageFactory
from tests.faults import scene
from tests.support.stack import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
RESTORED = "restored"


def url(database: str) -> str:
    return f"postgresql://{connection.settings_dict['USER']}@/{database}?host={connection.settings_dict['HOST']}"


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[str]:
    """An empty database on the same server."""
    with psycopg.connect(url("postgres"), autocommit=True) as session:
        session.execute(f"CREATE DATABASE {RESTORED}")
        yield url(RESTORED)
        session.execute(f"DROP DATABASE {RESTORED} WITH (FORCE)")


def manage(database: str, media: Path, *command: str) -> str:
    environment = os.environ | {
        "DATABASE_URL": database, "PRESSROOM_MEDIA_ROOT": str(media), "SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(database: str) -> dict[str, Any]:
    """Rows of each table, and a digest of the jobs."""
    with psycopg.connect(database) as session:
        tables = [
            name
            for (name,) in session.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            ).fetchall()
        ]
        counts = {name: session.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # type: ignore[index]
        jobs = session.execute("SELECT md5(string_agg(j::text, '|' ORDER BY id)) FROM jobs_job j").fetchone()
    return counts | {"jobs": jobs}


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_rows_and_files_come_back_and_the_work_goes_on(
    workspace: Workspace, owner: object, elsewhere: str, folder: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = folder / "media"
    rows = scene.rows_in(workspace, 3)
    jobs = [scene.generate(row).jobs[0] for row in rows]
    lifecycle.claim(lane="images", worker="one that is gone")
    GeneratedImageFactory(row=rows[0], owner=workspace.owner)

    subprocess.run(
        [binary("pg_dump"), "-Fc", "-f", folder / "rows.dump", url(connection.settings_dict["NAME"])], check=True
    )
    with tarfile.open(folder / "files.tar", "w") as archive:
        archive.add(settings.MEDIA_ROOT, arcname=".")
    subprocess.run([binary("pg_restore"), "--no-owner", "-d", elsewhere, folder / "rows.dump"], check=True)
    with tarfile.open(folder / "files.tar") as archive:
        archive.extractall(folder / "restored", filter="data")

    assert contents(elsewhere) == contents(url(connection.settings_dict["NAME"]))
    assert digests(folder / "restored") == digests(settings.MEDIA_ROOT)
    assert manage(elsewhere, folder / "restored", "migrate", "--check") == ""
    _runs_out(elsewhere)
    manage(elsewhere, folder / "restored", "shell", "-c", "from apps.jobs.dispatch import dispatch; dispatch()")
    with psycopg.connect(elsewhere) as session:
        states = session.execute("SELECT status, sum(crashes) FROM jobs_job GROUP BY 1").fetchall()
    assert states == [("queued", 1)], "what its worker held is rescued and in line again"
    assert Job.objects.processing().count() == 1, "the original is untouched"
    assert len(jobs) == 3


def _runs_out(database: str) -> None:
    with psycopg.connect(database) as session:
        session.execute("UPDATE jobs_job SET lease_until = '2020-01-01' WHERE lease_until IS NOT NULL")


def test_one_step_of_the_schema_goes_back_and_forth(elsewhere: str, folder: Path) -> None:
    manage(elsewhere, folder, "migrate", "--verbosity", "0")
    before = contents(elsewhere)
    for app in ("api", "jobs", "providers", "studio"):
        shown = manage(elsewhere, folder, "showmigrations", app).split()
        names = [word for word in shown if word[:4].isdigit()]
        manage(elsewhere, folder, "migrate", app, names[-2] if len(names) > 1 else "zero", "--verbosity", "0")
    manage(elsewhere, folder, "migrate", "--verbosity", "0")
    assert contents(elsewhere).keys() == before.keys()
