"""Jobs and prompts through the API: made, listed, told, cancelled, retried, moved."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import ApiToken, User
from apps.jobs import lifecycle
from apps.jobs.lanes import forget_limits
from apps.jobs.models import Job
from apps.studio.models import PromptJob, Row
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import (
    AssetFactory,
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    StaffFactory,
    finish,
    token_for,
)

JOB_KEYS = {
    *("jobId", "kind", "status", "stage", "priority", "position", "estimatedWait", "waitingReason", "waitingUntil"),
    *("promptJobId", "promptStatus", "prompt", "retriedFrom", "error", "images", "cost", "createdAt", "startedAt"),
    *("finishedAt", "attempts", "rowId"),
}


def row_of(owner: User) -> Row:
    target = f"/media/assets/{AssetFactory(owner=owner).pk}"
    return RowFactory(workspace__owner=owner, target_url=target, prompt_override="A shoe on warm sand")


@pytest.fixture
def row(owner: User) -> Row:
    return row_of(owner)


def generate(call: Caller, row: Row, **more: Any) -> Any:
    return call("POST", "/api/jobs/create", {"rowId": str(row.pk), "useAiPrompt": False, **more})


def test_generate_makes_the_images_asked_for(call: Caller, row: Row) -> None:
    body = generate(call, row, count=3, priority=8).json()
    assert len(body["jobs"]) == 3
    assert body["jobId"] == body["jobs"][0]["jobId"]
    assert (body["promptJobId"], body["promptStatus"]) == (None, "completed")
    job = body["jobs"][0]
    assert set(job) >= JOB_KEYS
    assert (job["status"], job["priority"], job["position"], job["cost"]) == ("queued", 8, 0, "0.00")
    assert job["prompt"] == "A shoe on warm sand"
    assert [told["position"] for told in body["jobs"]] == [0, 1, 2]


def test_ai_generate_makes_a_prompt_and_images_that_wait_for_it(call: Caller, row: Row) -> None:
    body = generate(call, row, useAiPrompt=True, count=2).json()
    assert body["promptStatus"] == "generating"
    for job in body["jobs"]:
        assert job["promptJobId"] == body["promptJobId"]
        assert (job["status"], job["waitingReason"], job["promptStatus"]) == ("queued", "dependency", "generating")
    told = call("GET", f"/api/prompt/queue/{body['promptJobId']}").json()
    assert (told["status"], told["generatedPrompt"], told["source"]) == ("queued", "", "")


def test_without_a_prompt_it_is_said(call: Caller, row: Row) -> None:
    row.prompt_override = ""
    row.save()
    problem(generate(call, row), 422, "prompt_missing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rowId": "5"},
        {"rowId": None},
        {"useAiPrompt": "true"},
        {"useAiPrompt": 1},
        {"count": 0},
        {"count": 7},
        {"count": "2"},
        {"priority": 0},
        {"priority": 11},
        {"priority": 5.5},
    ],
)
def test_create_refuses_what_does_not_fit(call: Caller, row: Row, wrong: dict[str, Any]) -> None:
    assert set(problem(generate(call, row, **wrong), 422, "invalid")["errors"]) == set(wrong)
    assert not Job.objects.exists()


def test_priority_10_is_reserved(owner: User, row: Row, call: Caller) -> None:
    problem(generate(call, row, priority=10), 403, "priority_reserved")
    session = Caller(user=owner)
    problem(generate(session, row, priority=10), 403, "priority_reserved")
    assert not Job.objects.exists()
    job = JobFactory(row=row)
    problem(call("PATCH", f"/api/jobs/{job.uid}", {"priority": 10}), 403, "priority_reserved")


def test_queue_a_prompt(call: Caller, row: Row) -> None:
    asked = {"rowId": str(row.pk), "targetUrl": row.target_url, "priority": 7, "applyToRow": True, "refUrls": []}
    response = call("POST", "/api/prompt/queue", asked)
    body = response.json()
    assert response.status_code == 201
    assert {"promptJobId", "status", "position", "estimatedWaitTime", "estimatedWait", "waitingReason"} <= set(body)
    assert (body["status"], body["position"], body["estimatedWait"]) == ("queued", 0, None)
    made = PromptJob.objects.get()
    assert (made.apply_to_row, made.ref_urls, made.job.priority) == (True, [], 7)
    assert body["promptJobId"] == str(made.job.uid)


@pytest.mark.parametrize(
    "wrong",
    [
        {"targetUrl": None},
        {"targetUrl": "https://example.com/" + "a" * 2048},
        {"refUrls": "x"},
        {"refUrls": ["x"] * 10},
        {"operation": "swap"},
        {"existingPrompt": "a" * 4001},
        {"instructions": ["a"]},
        {"applyToRow": "yes"},
    ],
)
def test_queue_refuses_what_does_not_fit(call: Caller, row: Row, wrong: dict[str, Any]) -> None:
    asked = {"rowId": str(row.pk), "targetUrl": row.target_url, **wrong}
    assert set(problem(call("POST", "/api/prompt/queue", asked), 422, "invalid")["errors"]) == set(wrong)


def test_an_image_job_is_not_a_prompt(call: Caller, row: Row) -> None:
    job = JobFactory(row=row)
    problem(call("GET", f"/api/prompt/queue/{job.uid}"), 404, "not_found")
    problem(call("DELETE", f"/api/prompt/queue/{job.uid}"), 404, "not_found")


def test_statistics_are_the_callers_own_and_everybodys_for_staff(call: Caller, row: Row) -> None:
    JobFactory(kind="prompt", row=row)
    JobFactory(kind="prompt")
    assert call("GET", "/api/prompt/queue").json()["totalQueued"] == 1
    assert caller_of(StaffFactory())("GET", "/api/prompt/queue").json()["totalQueued"] == 2


def test_a_job_tells_its_attempts_calls_images_and_cost(call: Caller, row: Row) -> None:
    job = finish(JobFactory(row=row))
    for cost in ("0.04", "0.0000125"):
        CallFactory(job_id=job.pk, owner=job.owner, cost_usd=Decimal(cost), provider_id=f"p{cost}")
    image = GeneratedImageFactory(row=row, job=job, rating=4)
    told = call("GET", f"/api/jobs/{job.uid}").json()
    assert (told["status"], told["cost"], told["position"], told["error"]) == ("completed", "0.0400125", None, None)
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["completed"]
    assert [call["cost"] for call in told["attempts"][0]["calls"]] == ["0.04", "0.0000125"]
    assert told["images"] == [
        {
            "imageId": str(image.pk),
            "url": f"http://127.0.0.1:8000/media/images/{image.pk}",
            "thumbnailUrl": f"http://127.0.0.1:8000/media/images/{image.pk}/thumbnail",
            "width": 64,
            "height": 48,
            "favourite": False,
            "rating": 4,
            "simulated": False,
            "late": False,
            "nsfw": False,
            "unreadable": "",
        }
    ]


def test_the_attempt_that_runs_is_told(call: Caller, row: Row) -> None:
    job = JobFactory(row=row)
    lifecycle.claim(lane="images", worker="tests")
    (attempt,) = call("GET", f"/api/jobs/{job.uid}").json()["attempts"]
    assert (attempt["attempt"], attempt["outcome"], attempt["finishedAt"]) == (1, None, None)


def test_cancel_is_told_honestly(call: Caller, row: Row) -> None:
    waits = JobFactory(row=row)
    first = call("DELETE", f"/api/jobs/{waits.uid}")
    assert (first.status_code, first.json()) == (200, {"jobId": str(waits.uid), "state": "cancelled"})
    assert problem(call("DELETE", f"/api/jobs/{waits.uid}"), 409, "already_finished")["jobStatus"] == "cancelled"
    runs = JobFactory(row=row)
    assert lifecycle.claim(lane="images", worker="tests")
    assert call("DELETE", f"/api/jobs/{runs.uid}").status_code == 202
    assert call("DELETE", f"/api/jobs/{runs.uid}").status_code == 202
    done = JobFactory(row=row)
    finish(done)
    assert problem(call("DELETE", f"/api/jobs/{done.uid}"), 409, "already_finished")["jobStatus"] == "completed"
    problem(call("DELETE", f"/api/jobs/{uuid4()}"), 404, "not_found")


def test_retry_makes_a_new_job_that_names_the_old(call: Caller, row: Row) -> None:
    old = finish(JobFactory(row=row), error="provider_error")
    assert call("GET", f"/api/jobs/{old.uid}").json()["error"] == {
        "code": "provider_error",
        "message": "It went wrong.",
        "action": "Try again.",
        "remedy": "retry",
    }
    response = call("POST", f"/api/jobs/{old.uid}/retry")
    assert response.status_code == 201
    assert response.json()["retriedFrom"] == str(old.uid)
    problem(call("POST", f"/api/jobs/{old.uid}/retry"), 409, "already_retried")
    problem(call("POST", f"/api/jobs/{response.json()['jobId']}/retry"), 409, "not_retryable")


def test_staff_say_urgent_of_their_own_with_a_token_for_it(db: None) -> None:
    staff = StaffFactory()
    row = row_of(staff)
    problem(generate(caller_of(staff), row, priority=10), 403, "priority_reserved")
    assert generate(Caller(user=staff), row, priority=10).status_code == 201
    assert generate(caller_of(staff, "read", "write", "urgent"), row, priority=10).status_code == 201


def test_a_token_with_the_scope_gives_nothing_to_who_is_not_staff(owner: User, row: Row) -> None:
    token, secret = token_for(owner)
    ApiToken.objects.filter(pk=token.pk).update(scopes=["read", "write", "urgent"])  # made before, or by former staff
    caller, job = Caller(secret), JobFactory(row=row)
    problem(generate(caller, row, priority=10), 403, "priority_reserved")
    problem(caller("PATCH", f"/api/jobs/{job.uid}", {"priority": 10}), 403, "priority_reserved")
    asked = {"rowId": str(row.pk), "targetUrl": row.target_url, "priority": 10}
    problem(caller("POST", "/api/prompt/queue", asked), 403, "priority_reserved")


def test_change_priority_and_place(call: Caller, row: Row) -> None:
    first, second = JobFactory(row=row), JobFactory(row=row)
    assert call("PATCH", f"/api/jobs/{second.uid}", {"before": str(first.uid)}).json()["position"] == 0
    assert call("PATCH", f"/api/jobs/{second.uid}", {"after": str(first.uid)}).json()["position"] == 1
    assert call("PATCH", f"/api/jobs/{second.uid}", {"priority": 9}).json()["position"] == 0
    problem(call("PATCH", f"/api/jobs/{first.uid}", {"before": str(second.uid)}), 409, "other_priority")
    assert call("PATCH", f"/api/jobs/{first.uid}", {"priority": 9}).json()["position"] == 1
    for wrong in ({}, {"priority": 5, "before": str(first.uid)}, {"status": "completed"}):
        problem(call("PATCH", f"/api/jobs/{first.uid}", wrong), 422, "invalid")
    finish(second)
    problem(call("PATCH", f"/api/jobs/{first.uid}", {"before": str(second.uid)}), 409, "cannot_move")
    problem(call("PATCH", f"/api/jobs/{second.uid}", {"priority": 2}), 409, "already_started")


def test_pending_count(call: Caller, row: Row) -> None:
    JobFactory(row=row)
    finish(JobFactory(row=row, priority=9))
    JobFactory()
    assert call("GET", "/api/jobs/pending-count").json() == {"count": 1}


def test_list_filters_and_pages(call: Caller, row: Row) -> None:
    other = RowFactory(workspace=row.workspace)
    done = finish(JobFactory(row=row, priority=9))
    queued = [JobFactory(row=row) for _ in range(4)]
    prompt = JobFactory(kind="prompt", row=other)
    JobFactory()

    def ids(query: str) -> list[str]:
        return [job["jobId"] for job in call("GET", f"/api/jobs{query}").json()["results"]]

    newest_first = [str(job.uid) for job in (prompt, *reversed(queued), done)]
    assert ids("") == newest_first
    assert ids("?status=completed") == [str(done.uid)]
    assert ids("?status=queued&kind=image") == newest_first[1:5]
    assert ids(f"?rowId={other.pk}") == [str(prompt.uid)]
    assert _walk(call, "/api/jobs?limit=2&kind=image") == newest_first[1:]
    assert call("GET", "/api/jobs").json()["next"] is None


def _walk(call: Caller, url: str | None) -> list[str]:
    seen = []
    while url:
        page = call("GET", url).json()
        seen += [job["jobId"] for job in page["results"]]
        url = page["next"]
    return seen


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=51",
        "limit=x",
        "cursor=x",
        "cursor=WyJ4Il0=",
        "cursor=WzFlOTld",
        "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTld",
        "cursor=%F0%9F%92%A9",
        "cursor=e30=",
        "status=waiting",
        "kind=x",
        "rowId=5",
    ],
)
def test_a_query_that_makes_no_sense_is_400(call: Caller, query: str) -> None:
    problem(call("GET", f"/api/jobs?{query}"), 400, "query_invalid")


def _one_of_each(row: Row) -> None:
    prompt = JobFactory(kind="prompt", row=row)
    JobFactory(row=row, waits_for=prompt)
    done = finish(JobFactory(row=row, priority=9))
    GeneratedImageFactory(row=row, job=done)
    CallFactory(job_id=done.pk, owner=done.owner, provider_id=str(done.uid))


def test_a_list_takes_as_many_queries_for_one_job_as_for_many(
    owner: User, row: Row, django_assert_max_num_queries: Any
) -> None:
    token = token_for(owner)[1]
    _one_of_each(row)
    Caller(token)("GET", "/api/jobs")  # the token's last use is written now and not again
    forget_limits()
    with django_assert_max_num_queries(60) as few:
        assert len(Caller(token)("GET", "/api/jobs").json()["results"]) == 3
    for _ in range(12):
        _one_of_each(RowFactory(workspace=row.workspace))
    forget_limits()
    with django_assert_max_num_queries(len(few.captured_queries)) as many:
        assert len(Caller(token)("GET", "/api/jobs").json()["results"]) == 39
    assert len(many.captured_queries) <= 30


@pytest.mark.parametrize(
    ("stored", "source", "fallback"),
    [
        ("", "", None),
        ("model", "model", None),
        ("manual", "manual", None),
        ("template", "template", "template"),
        ("default", "template", "default"),
    ],
)
def test_a_prompts_source_and_what_stood_in_for_a_model(
    call: Caller, row: Row, stored: str, source: str, fallback: str | None
) -> None:
    job = JobFactory(kind="prompt", row=row)
    PromptJob.objects.filter(job=job).update(source=stored)
    told = call("GET", f"/api/prompt/queue/{job.uid}").json()
    assert (told["source"], told["fallback"]) == (source, fallback)


@pytest.mark.parametrize("wrong", [1, 1.5, True, None, [], {}, "1"])
def test_an_id_is_a_uuid_as_text(call: Caller, row: Row, wrong: Any) -> None:
    job = JobFactory(row=row)
    create = {"rowId": wrong, "useAiPrompt": False}
    prompt = {"rowId": wrong, "targetUrl": row.target_url}
    for method, path, body, field in (
        ("POST", "/api/jobs/create", create, "rowId"),
        ("POST", "/api/prompt/queue", prompt, "rowId"),
        ("PATCH", f"/api/jobs/{job.uid}", {"before": wrong}, "before"),
        ("PATCH", f"/api/jobs/{job.uid}", {"after": wrong}, "after"),
    ):
        assert field in problem(call(method, path, body), 422, "invalid")["errors"]
