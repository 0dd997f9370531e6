"""Workspaces, rows and images through the API."""

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import User
from apps.jobs import lifecycle
from apps.jobs.lanes import forget_limits
from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.studio.models import Row, Workspace
from tests.api.conftest import Caller, problem
from tests.factories import (
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    WorkspaceFactory,
    finish,
    token_for,
)


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return WorkspaceFactory(owner=owner)


def test_a_workspace_is_made_changed_and_removed(call: Caller) -> None:
    made = call("POST", "/api/workspaces", {"name": "Shoes", "imagesPerGenerate": 2, "rightsConfirmed": True}).json()
    assert (made["imagesPerGenerate"], made["outputWidth"], made["onPromptFailure"]) == (2, 2048, "template")
    assert made["rightsConfirmedAt"].endswith("Z")
    path = f"/api/workspaces/{made['id']}"
    changed = call("PATCH", path, {"name": "Boots", "rightsConfirmed": False}).json()
    assert (changed["name"], changed["rightsConfirmedAt"], changed["imagesPerGenerate"]) == ("Boots", None, 2)
    assert call("GET", path).json() == changed
    assert call("DELETE", path).status_code == 204
    problem(call("GET", path), 404, "not_found")


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("generationModel", "bytedance/seedream-v4.5/edit"),
        ("promptStrategy", "describe"),
        ("secondStrategy", "describe"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_those_there_are(
    call: Caller, workspace: Workspace, field: str, known: str
) -> None:
    for method, path in (("POST", "/api/workspaces"), ("PATCH", f"/api/workspaces/{workspace.pk}")):
        refused = problem(call(method, path, {"name": "Shoes", field: "no-such"}), 422, "invalid")
        assert set(refused["errors"]) == {field}
        assert known in refused["action"]
        assert call(method, path, {"name": "Shoes", field: known}).json()[field] == known


def test_a_name_that_is_there_already_is_not_asked_again(call: Caller, owner: User, settings: Any) -> None:
    settings.IMAGE_MODEL = "ours/own"
    there = WorkspaceFactory(owner=owner, generation_model="gone/by-now", prompt_strategy="gone")
    path = f"/api/workspaces/{there.pk}"
    body = {"name": "Boots", "generationModel": "gone/by-now", "promptStrategy": "gone"}
    assert call("PATCH", path, body).json()["name"] == "Boots"
    assert call("PATCH", path, {"generationModel": "ours/own"}).status_code == 200


def test_a_row_that_waits_for_a_person_is_queued_and_says_so(call: Caller, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    prompt = JobFactory(kind="prompt", row=row)
    image = JobFactory(row=row, waits_for=prompt)
    path = f"/api/rows/{row.pk}"
    told = call("GET", path).json()
    assert (told["status"], told["waitingReason"], told["needsPrompt"]) == ("queued", "no_worker", False)
    lifecycle.wait_for_person([image.pk], reason="needs_prompt")
    told = call("GET", path).json()
    assert (told["status"], told["waitingReason"], told["needsPrompt"]) == ("queued", "needs_prompt", True)
    assert told["jobs"][0]["waitingReason"] == "needs_prompt"
    call("DELETE", f"/api/jobs/{image.uid}")
    call("DELETE", f"/api/jobs/{prompt.uid}")
    told = call("GET", path).json()
    assert (told["status"], told["waitingReason"], told["needsPrompt"]) == ("idle", "", False)


def test_removing_a_workspace_cancels_what_is_queued(call: Caller, workspace: Workspace) -> None:
    job = JobFactory(row=RowFactory(workspace=workspace))
    call("DELETE", f"/api/workspaces/{workspace.pk}")
    job.refresh_from_db()
    assert job.status == Status.CANCELLED


def test_the_list_is_the_callers_own_newest_first(call: Caller, owner: User) -> None:
    names = [WorkspaceFactory(owner=owner).name for _ in range(5)]
    WorkspaceFactory()
    seen, url = [], "/api/workspaces?limit=2"
    while url:
        page = call("GET", url).json()
        seen += [workspace["name"] for workspace in page["results"]]
        url = page["next"]
    assert seen == names[::-1]


def test_a_row_is_made_at_the_end_changed_and_removed(call: Caller, workspace: Workspace) -> None:
    RowFactory(workspace=workspace, position=4)
    made = call("POST", f"/api/workspaces/{workspace.pk}/rows", {"label": "Left", "refUrls": []}).json()
    assert (made["position"], made["refUrls"], made["status"]) == (5, [], "idle")
    assert (made["workspaceId"], made["jobs"], made["images"], made["error"]) == (str(workspace.pk), [], [], None)
    path = f"/api/rows/{made['id']}"
    changed = call("PATCH", path, {"refUrls": None, "promptOverride": "On slate", "position": 0}).json()
    assert (changed["refUrls"], changed["promptOverride"], changed["position"], changed["label"]) == (
        None,
        "On slate",
        0,
        "Left",
    )
    assert call("DELETE", path).status_code == 204
    problem(call("GET", path), 404, "not_found")


def test_what_was_typed_is_kept_to_the_last_space(call: Caller, workspace: Workspace) -> None:
    path = f"/api/rows/{RowFactory(workspace=workspace).pk}"
    for typed in ("  On slate,\n\nmorning light \n", "   ", ""):
        assert call("PATCH", path, {"promptOverride": typed}).json()["promptOverride"] == typed


def test_a_prompt_typed_over_an_older_text_does_not_replace_the_newer(call: Caller, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, prompt_override="First.", label="shoe")
    path = f"/api/rows/{row.pk}"
    ours = {"promptOverride": "Typed over the first.", "promptWas": "First."}
    assert call("PATCH", path, ours).json()["promptOverride"] == "Typed over the first."
    late = {"promptOverride": "Also typed over the first.", "promptWas": "First.", "label": "boot"}
    told = problem(call("PATCH", path, late), 409, "prompt_changed")
    assert told["promptText"] == "Typed over the first."
    row.refresh_from_db()
    assert (row.prompt_override, row.label) == ("Typed over the first.", "shoe")
    assert call("PATCH", path, ours).status_code == 200, "what is there already is no conflict"
    row.prompt_override = "Two\r\nlines"
    row.save()
    assert call("PATCH", path, {"promptOverride": "x", "promptWas": "Two\nlines"}).status_code == 200
    assert call("PATCH", path, {"promptOverride": "y"}).status_code == 200, "without promptWas the last one wins"


def test_many_rows_at_once_are_all_there_or_none(call: Caller, workspace: Workspace) -> None:
    path = f"/api/workspaces/{workspace.pk}/rows"
    made = call("POST", path, {"rows": [{"label": str(n)} for n in range(200)]})
    assert made.status_code == 201
    assert [row["label"] for row in made.json()["results"]] == [str(n) for n in range(200)]
    wrong = problem(call("POST", path, {"rows": [{"label": "a"}, {"label": 5}]}), 422, "invalid")
    assert "rows.1.label" in wrong["errors"]
    for rows in ([], [{}] * 201, "x", [5]):
        problem(call("POST", path, {"rows": rows}), 422, "invalid")
    assert Row.objects.count() == 200


def test_rows_are_listed_by_position_over_pages(call: Caller, workspace: Workspace) -> None:
    expected = [RowFactory(workspace=workspace, position=n // 3) for n in range(8)]
    RowFactory()
    seen, url = [], f"/api/workspaces/{workspace.pk}/rows?limit=3"
    while url:
        page = call("GET", url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == [str(row.pk) for row in expected]


def test_a_row_tells_its_jobs_images_and_error(call: Caller, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    job = finish(JobFactory(row=row), error="provider_error")
    image = GeneratedImageFactory(row=row)
    told = call("GET", f"/api/rows/{row.pk}").json()
    assert told["status"] == "error"
    assert told["error"] == {
        "code": "provider_error",
        "message": "It went wrong.",
        "action": "Try again.",
        "remedy": "retry",
    }
    assert [job["jobId"] for job in told["jobs"]] == [str(job.uid)]
    assert [image["imageId"] for image in told["images"]] == [str(image.pk)]


def test_removing_a_row_cancels_what_is_queued(call: Caller, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    JobFactory(row=row)
    call("DELETE", f"/api/rows/{row.pk}")
    assert Job.objects.get().status == Status.CANCELLED


def _used_row(workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    prompt = JobFactory(kind="prompt", row=row)
    JobFactory(row=row, waits_for=prompt)
    done = finish(JobFactory(row=row, priority=9))
    GeneratedImageFactory(row=row, job=done)
    CallFactory(job_id=done.pk, owner=done.owner, provider_id=str(done.uid))


def test_rows_take_as_many_queries_for_one_as_for_many(
    owner: User, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    token, path = token_for(owner)[1], f"/api/workspaces/{workspace.pk}/rows"
    _used_row(workspace)
    Caller(token)("GET", path)  # the token's last use is written now and not again
    forget_limits()
    with django_assert_max_num_queries(60) as few:
        assert len(Caller(token)("GET", path).json()["results"]) == 1
    for _ in range(10):
        _used_row(workspace)
    forget_limits()
    with django_assert_max_num_queries(len(few.captured_queries)) as many:
        assert len(Caller(token)("GET", path).json()["results"]) == 11
    assert len(many.captured_queries) <= 35


def test_an_image_is_judged(call: Caller, workspace: Workspace) -> None:
    image = GeneratedImageFactory(row=RowFactory(workspace=workspace))
    path = f"/api/images/{image.pk}"
    told = call("PATCH", path, {"favourite": True, "rating": 5}).json()
    assert (told["imageId"], told["favourite"], told["rating"]) == (str(image.pk), True, 5)
    assert call("PATCH", path, {"rating": None}).json()["rating"] is None
    assert call("PATCH", path, {}).json()["favourite"] is True
    for wrong in ({"rating": 6}, {"rating": 0}, {"rating": "5"}, {"favourite": 1}, {"favourite": None}):
        problem(call("PATCH", path, wrong), 422, "invalid")


def test_somebody_elses_is_as_if_it_were_not_there(call: Caller, stranger: Caller, workspace: Workspace) -> None:
    theirs = problem(stranger("GET", f"/api/workspaces/{workspace.pk}"), 404, "not_found")
    nothing = problem(stranger("GET", f"/api/workspaces/{uuid4()}"), 404, "not_found")
    assert {**theirs, "instance": ""} == {**nothing, "instance": ""}
