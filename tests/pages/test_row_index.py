"""The index of a workspace's rows says of each what the page of that row says, by one statement, however many rows there are."""

import copy
import json
import random
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.base import ModelState
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.assets.urls import asset_url
from apps.jobs.models import Job
from apps.pages.studio.row_index import index_of
from apps.studio.models import ImageJob, Row, Workspace
from apps.studio.rows import rows_with_state
from apps.studio.services import generate_images, queue_prompt
from tests.factories import AssetFactory, GeneratedImageFactory, RowFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

STATUSES = ("queued", "processing", "completed", "failed", "cancelled", "waiting", "scheduled")
MANY = 2000


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def rows_of(workspace: Workspace, count: int) -> list[Row]:
    url = asset_url(AssetFactory(owner=workspace.owner))
    return [
        RowFactory(workspace=workspace, position=place, target_url=url, ref_urls=[], prompt_override="A shoe.")
        for place in range(count)
    ]


def test_it_agrees_with_the_page_of_each_row_whatever_became_of_its_jobs(workspace: Workspace) -> None:
    dice = random.Random(7)
    rows = rows_of(workspace, 40)
    for row in rows:
        for _ in range(dice.randint(0, 2)):
            generate_images(
                user=workspace.owner,
                row_id=row.pk,
                use_ai_prompt=dice.random() < 0.5,
                count=dice.randint(1, 2),
                priority=5,
            )
        if dice.random() < 0.3:
            queue_prompt(user=workspace.owner, row_id=row.pk, target_url=row.target_url)
        if dice.random() < 0.3:
            GeneratedImageFactory(row=row, owner=workspace.owner)
    for job in Job.objects.all():
        _become(job, dice.choice(STATUSES), dice)
    other = rows_of(WorkspaceFactory(owner=workspace.owner), 1)[0]
    generate_images(user=workspace.owner, row_id=other.pk, use_ai_prompt=False, count=1, priority=5)

    shown = {state.row.pk: state.status for state in rows_with_state(workspace.rows.all())}
    assert {entry.id: entry.status for entry in index_of(workspace).entries} == shown
    assert len(set(shown.values())) >= 6


def _become(job: Job, status: str, dice: random.Random) -> None:
    """As the verbs would leave it."""
    now = timezone.now()
    final = status in {"completed", "failed", "cancelled"}
    Job.objects.filter(pk=job.pk).update(
        status=status,
        reason="needs_prompt" if status == "waiting" and job.kind == "image" and dice.random() < 0.5 else "",
        finished_at=now if final else None,
        lease_until=now if status == "processing" else None,
        run_after=now if status == "scheduled" else None,
        wake_at=None,
        error_code="provider_error" if status == "failed" else "",
        waits_for=None,
    )


def test_two_thousand_rows_with_six_thousand_jobs_are_one_statement_of_few_pages(workspace: Workspace) -> None:
    many_rows(workspace, MANY)
    with CaptureQueriesContext(connection) as queries:
        index = index_of(workspace)
    assert len(queries) == 1
    assert index.counts()["done"] == MANY

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + queries[0]["sql"])
        (plan,) = cursor.fetchone()
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    touched = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    assert touched < 30 * MANY, f"{touched:,} pages"


def many_rows(workspace: Workspace, count: int) -> None:
    """Rows whose three images of the latest generation are made."""
    [first] = rows_of(workspace, 1)
    made = generate_images(user=workspace.owner, row_id=first.pk, use_ai_prompt=False, count=3, priority=5)
    for job in made.jobs:
        _become(job, "completed", random.Random(1))
    first.refresh_from_db()
    rows = [
        Row(workspace=workspace, position=place, target_url=first.target_url, generation=uuid4(), ref_urls=[])
        for place in range(1, count)
    ]
    Row.objects.bulk_create(rows)
    pattern = Job.objects.get(pk=made.jobs[0].pk)
    detail = ImageJob.objects.get(job=pattern)
    jobs, details = [], []
    for row in rows:
        for _ in range(3):
            job = copy.copy(pattern)
            job.pk, job.uid, job.subject, job._state = None, uuid4(), f"row:{row.pk}", ModelState()
            jobs.append((job, row))
    Job.objects.bulk_create([_numbered(job, place) for place, (job, _row) in enumerate(jobs)])
    for job, row in jobs:
        again = copy.copy(detail)
        again.pk = again.job_id = job.pk
        again.job, again.row, again.generation, again._state = job, row, row.generation, ModelState()
        details.append(again)
    ImageJob.objects.bulk_create(details)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _numbered(job: Job, place: int) -> Job:
    job.seq = 1_000_000 + place
    return job
