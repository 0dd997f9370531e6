"""One request for many rows: each row whole or not at all, and a repeat goes on where one that died has stopped."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.api.models import IdempotencyKey
from apps.api.studio import selections
from apps.assets.library import FRESH, digest_of
from apps.assets.models import Asset
from apps.jobs.models import Job
from apps.studio import deletion
from apps.studio.deletion import finish_deletions
from apps.studio.models import Row, Workspace
from apps.studio.pictures import must_be_fetched
from tests.api.conftest import Caller, problem
from tests.factories import AssetFactory, JobFactory, RowFactory, WorkspaceFactory


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return WorkspaceFactory(owner=owner, images_per_generate=2, default_prompt="A shoe on warm sand")


def rows_of(workspace: Workspace, count: int) -> list[Row]:
    target = f"/media/assets/{AssetFactory(owner=workspace.owner).pk}"
    return [RowFactory(workspace=workspace, target_url=target) for _ in range(count)]


def ids(rows: list[Row]) -> list[str]:
    return [str(row.pk) for row in rows]


def test_each_row_gets_its_jobs_or_its_problem(call: Caller, workspace: Workspace) -> None:
    good, busy = rows_of(workspace, 2)
    JobFactory(row=busy)
    empty, strange = RowFactory(workspace=workspace), RowFactory()
    asked = ids([good, busy, empty, strange])
    told = call("POST", f"/api/workspaces/{workspace.pk}/generate", {"rowIds": asked, "useAiPrompt": False})
    assert told.status_code == 200, told.content
    body = told.json()
    assert (body["queued"], body["leftOut"]) == (1, 3)
    assert [result["rowId"] for result in body["results"]] == asked
    codes = [result["problem"] and result["problem"]["code"] for result in body["results"]]
    assert codes == [None, "row_busy", "target_missing", "not_found"]
    jobs = Job.objects.filter(subject=f"row:{good.pk}")
    assert {str(job.uid) for job in jobs} == set(body["results"][0]["jobIds"])
    assert jobs.count() == 2
    again = call("POST", f"/api/workspaces/{workspace.pk}/generate", {"rowIds": ids([good]), "useAiPrompt": True})
    assert again.json()["results"][0]["problem"]["code"] == "row_busy"


def test_with_a_prompt_to_be_written_the_prompt_job_is_named(call: Caller, workspace: Workspace) -> None:
    (row,) = rows_of(workspace, 1)
    body = {"rowIds": ids([row]), "useAiPrompt": True, "count": 1, "priority": 8}
    (result,) = call("POST", f"/api/workspaces/{workspace.pk}/generate", body).json()["results"]
    assert Job.objects.get(uid=result["promptJobId"]).kind == "prompt"
    assert set(Job.objects.values_list("priority", flat=True)) == {8}


def test_a_repeat_goes_on_where_the_first_one_died(
    call: Caller, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(workspace, 5)
    body, path = {"rowIds": ids(rows), "useAiPrompt": False}, f"/api/workspaces/{workspace.pk}/generate"
    generate, asked = selections.generate_images, []

    def dies_at_the_third(**given: Any) -> Any:
        asked.append(given["row_id"])
        if len(asked) == 3:
            raise SystemExit  # as a process that is stopped
        return generate(**given)

    with monkeypatch.context() as dying:
        dying.setattr(selections, "generate_images", dies_at_the_third)
        with pytest.raises(SystemExit):
            call("POST", path, body, Idempotency_Key="bulk-1")
    assert Job.objects.count() == 4, "two rows of two images, whole"
    told = call("POST", path, body, Idempotency_Key="bulk-1").json()
    assert (told["queued"], told["leftOut"]) == (5, 0)
    assert Job.objects.count() == 10
    assert sum(len(result["jobIds"]) for result in told["results"]) == 10
    once_more = call("POST", path, body, Idempotency_Key="bulk-1")
    assert (once_more.json(), once_more["Idempotent-Replayed"]) == (told, "true")
    assert Job.objects.count() == 10
    other = call("POST", path, {**body, "useAiPrompt": True}, Idempotency_Key="bulk-1")
    problem(other, 422, "idempotency_key_reused")


def test_while_the_right_to_a_row_still_runs_the_whole_is_in_progress(call: Caller, workspace: Workspace) -> None:
    (row,) = rows_of(workspace, 1)
    body, path = {"rowIds": ids([row]), "useAiPrompt": False}, f"/api/workspaces/{workspace.pk}/generate"
    assert call("POST", path, body, Idempotency_Key="bulk-2").status_code == 200
    whole, part = (IdempotencyKey.objects.get(route=f"api:rows-generate{end}") for end in ("", "/part"))
    whole.delete()  # a process that was killed while it was at this row
    soon = timezone.now() + timedelta(seconds=30)
    IdempotencyKey.objects.filter(pk=part.pk).update(status=None, body=b"", lease_until=soon)
    Job.objects.all().delete()
    problem(call("POST", path, body, Idempotency_Key="bulk-2"), 409, "idempotency_in_progress")
    IdempotencyKey.objects.filter(pk=part.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    assert call("POST", path, body, Idempotency_Key="bulk-2").json()["queued"] == 1


def test_rows_whose_pictures_must_be_fetched_do_not_hold_a_thread_for_minutes(
    call: Caller, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.studio.selections.LOOK_SECONDS", -1.0)  # the time for looking is over
    (ours,) = rows_of(workspace, 1)
    remote = RowFactory(workspace=workspace, target_url="https://images.example.com/a.jpg")
    body = {"rowIds": ids([remote, ours]), "useAiPrompt": False}
    first, second = call("POST", f"/api/workspaces/{workspace.pk}/generate", body).json()["results"]
    assert first["problem"]["code"] == "pictures_not_looked_at"
    assert second["problem"] is None, "our own are quick"


def test_a_host_is_asked_again_for_what_was_fetched_long_ago(workspace: Workspace) -> None:
    """However the address is written: one with a space is known by what a browser makes of it."""
    url = "https://images.example.com/a shoe.jpg"
    AssetFactory(owner=workspace.owner)
    Asset.objects.update(source_digest=digest_of(url), fetched_at=timezone.now())
    assert not must_be_fetched(workspace.owner, [url, ""])
    assert must_be_fetched(workspace.owner, [url, "https://images.example.com/another.jpg"])
    Asset.objects.update(fetched_at=timezone.now() - FRESH)
    assert must_be_fetched(workspace.owner, [url])


def test_a_selection_is_bounded_and_of_ones_own_workspace(call: Caller, stranger: Caller, workspace: Workspace) -> None:
    for verb, more in (("generate", {"useAiPrompt": False}), ("cancel", {}), ("remove", {}), ("restore", {})):
        path = f"/api/workspaces/{workspace.pk}/{verb}"
        many = [str(uuid4()) for _ in range(51)]
        problem(call("POST", path, {"rowIds": many, **more}), 422, "invalid")
        problem(call("POST", path, {"rowIds": [], **more}), 422, "invalid")
        problem(stranger("POST", path, {"rowIds": many[:1], **more}), 404, "not_found")


def test_cancelling_a_selection_stops_all_its_jobs(call: Caller, workspace: Workspace) -> None:
    rows = rows_of(workspace, 2)
    call("POST", f"/api/workspaces/{workspace.pk}/generate", {"rowIds": ids(rows), "useAiPrompt": True})
    other = JobFactory(row=RowFactory(workspace=workspace))
    told = call("POST", f"/api/workspaces/{workspace.pk}/cancel", {"rowIds": ids(rows)}).json()
    assert (told["cancelled"], told["requested"]) == (6, 0)
    other.refresh_from_db()
    assert other.status == "queued"
    assert Job.objects.filter(status="cancelled").count() == 6


def test_removed_rows_are_gone_at_once_and_come_back_for_a_while(
    call: Caller, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = rows_of(workspace, 2)
    job = JobFactory(row=gone)
    remove, restore = (f"/api/workspaces/{workspace.pk}/{verb}" for verb in ("remove", "restore"))
    assert call("POST", remove, {"rowIds": ids([gone])}).json() == {"rowIds": ids([gone]), "stillPaid": 0}
    job.refresh_from_db()
    assert job.status == "cancelled"
    problem(call("GET", f"/api/rows/{gone.pk}"), 404, "not_found")
    assert finish_deletions() == 0
    assert call("POST", restore, {"rowIds": ids([gone, kept])}).json() == {"rowIds": ids([gone])}
    assert call("GET", f"/api/rows/{gone.pk}").status_code == 200
    call("POST", remove, {"rowIds": ids([gone])})
    monkeypatch.setattr(deletion, "UNDO_FOR", timedelta(0))
    assert call("POST", restore, {"rowIds": ids([gone])}).json() == {"rowIds": []}
    monkeypatch.setattr(deletion, "LEFT_AFTER", timedelta(0))
    assert finish_deletions() == 1
    assert list(Row.everything.all()) == [kept]
