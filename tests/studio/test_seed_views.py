"""The seeds' debug queries answer, as they are written there."""

from typing import Any

import pytest
from django.db import connection

from apps.jobs import lifecycle
from tests.factories import JobFactory, RowFactory, finish

pytestmark = pytest.mark.django_db

QUEUED = "SELECT * FROM prompt_generation_jobs WHERE status = 'queued' ORDER BY priority DESC, created_at ASC"
FAILED = "SELECT * FROM prompt_generation_jobs WHERE status = 'failed' ORDER BY updated_at DESC LIMIT 10"
SEED_COLUMNS = {
    "id", "row_id", "model_id", "user_id", "ref_urls", "target_url", "status", "generated_prompt", "error",
    "retry_count", "max_retries", "priority", "created_at", "updated_at", "started_at", "completed_at",
}  # fmt: skip


def ask(query: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [dict(zip([column.name for column in cursor.description], row, strict=True)) for row in cursor]


def test_queued_and_failed_prompts_are_found_in_the_seeds_shape() -> None:
    row = RowFactory()
    later = JobFactory(kind="prompt", row=row, priority=3)
    first = JobFactory(kind="prompt", row=row, priority=8)
    failed = finish(JobFactory(kind="prompt", row=row, priority=9), error="provider_error")
    assert [each["id"] for each in ask(QUEUED)] == [first.uid, later.uid]
    assert set(ask(QUEUED)[0]) == SEED_COLUMNS
    assert [(each["id"], each["error"], each["model_id"]) for each in ask(FAILED)] == [
        (failed.uid, "It went wrong.", row.workspace_id)
    ]


def test_an_image_job_names_its_prompt_job_and_how_that_stands() -> None:
    row = RowFactory()
    prompt = JobFactory(kind="prompt", row=row)
    image = JobFactory(row=row, waits_for=prompt)
    assert ask("SELECT prompt_job_id, prompt_status, status FROM jobs") == [
        {"prompt_job_id": prompt.uid, "prompt_status": "generating", "status": "queued"}
    ]
    typed = JobFactory(row=row)
    lifecycle.request_cancel([image.pk])
    assert {each["id"]: each["prompt_status"] for each in ask("SELECT * FROM jobs")}[typed.uid] == "completed"


def test_statistics() -> None:
    row = RowFactory()
    assert ask("SELECT total_queued, average_wait_time FROM get_prompt_queue_stats()") == [
        {"total_queued": 0, "average_wait_time": None}
    ]
    finish(JobFactory(kind="prompt", row=row))
    finish(JobFactory(kind="prompt", row=row), error="provider_error")
    JobFactory(kind="prompt", row=row)
    [told] = ask("SELECT * FROM get_prompt_queue_stats()")
    assert [told[f"total_{name}"] for name in ("queued", "processing", "completed", "failed")] == [1, 0, 1, 1]
    assert told["average_wait_time"] >= 0
    assert told["estimated_wait_time"] >= 0
