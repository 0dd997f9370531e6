"""Rows and workspaces are deleted at random beside workers that finish their jobs: nobody waits in a circle."""

import random

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.jobs.models import Attempt, Job
from apps.jobs.states import FINAL
from apps.studio.deletion import delete_row, delete_workspace
from apps.studio.models import Row, Workspace
from apps.studio.services import queue_prompt
from tests.faults import scene
from tests.faults.armed import FaultStack
from tests.faults.test_races import at_once
from tests.support.stack import wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
ROWS = 14


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[1])


def test_rows_deleted_beside_finishing_workers(processes: FaultStack, workspace: Workspace, owner: User) -> None:
    processes.start_over()
    seen, pick = deadlocks(), random.Random(7)
    other = scene.workspace_of(owner, name="Hats")
    rows = scene.rows_in(workspace, ROWS) + scene.rows_in(other, 4)
    for row in rows:
        scene.generate(row, ai=pick.random() < 0.5, count=2)
        queue_prompt(user=owner, row_id=row.pk, target_url="", apply_to_row=True)
    doomed = pick.sample(rows[:ROWS], ROWS - 4)
    for place, row in enumerate(doomed):
        wait_until(lambda done=place: Attempt.objects.filter(outcome="completed").count() > done, seconds=90)
        answers = at_once(*[lambda row=row: delete_row(user=owner, row_id=row.pk)] * 2)  # type: ignore[misc]
        assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "Problem"]
    delete_workspace(other)
    wait_until(lambda: not Job.objects.exclude(status__in=FINAL).exists(), seconds=120, what="all over")
    assert deadlocks() == seen
    assert not Attempt.objects.filter(error_code="database_busy").exists()
    assert Row.everything.count() == 4
    kept = [f"row:{row.pk}" for row in Row.objects.all()]
    assert set(Job.objects.filter(subject__in=kept).values_list("status", flat=True)) == {"completed"}, scene.errors()
