"""What is malformed, too large or broken is told as problem+json and never as a page or a traceback."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from apps.accounts.models import User
from apps.api.studio import workspaces
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import RowFactory, picture_file

JSON = "application/json"


def send(call: Caller, raw: bytes, content_type: str = JSON) -> Any:
    return call.http.post("/api/workspaces", data=raw, content_type=content_type, headers=call.headers)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b'"a string"',
        b"NaN",
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000b"}',
        b'{"na\\u0000me": 1}',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"name":' * 2000 + b"1" + b"}" * 2000,
    ],
    ids=["cut", "empty", "text", "nan", "surrogate", "nul", "nul-key", "not-utf8", "deep", "deep-object"],
)
def test_what_is_not_json_is_400(call: Caller, raw: bytes) -> None:
    problem(send(call, raw), 400, "malformed") if raw else problem(send(call, raw), 422, "invalid")


def test_an_escaped_backslash_before_u0000_is_text(call: Caller) -> None:
    response = send(call, b'{"name": "a\\\\u0000"}')
    assert response.status_code == 201
    assert response.json()["name"] == "a\\u0000"


def test_more_than_1_mb_is_413(call: Caller) -> None:
    problem(send(call, b'{"name": "' + b"a" * 1_000_001 + b'"}'), 413, "too_large")


def test_another_type_is_415(call: Caller) -> None:
    problem(send(call, b"name=a", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a" * 121}, "name"),
        ({"name": "a", "outputWidth": "2048"}, "outputWidth"),
        ({"name": "a", "outputWidth": 2048.0}, "outputWidth"),
        ({"name": "a", "outputWidth": True}, "outputWidth"),
        ({"name": "a", "outputWidth": 10**30}, "outputWidth"),
        ({"name": "a", "imagesPerGenerate": 7}, "imagesPerGenerate"),
        ({"name": "a", "rightsConfirmed": "yes"}, "rightsConfirmed"),
        ({"name": "a", "onPromptFailure": "explode"}, "onPromptFailure"),
        ({"name": "a", "defaultRefUrls": "https://example.com"}, "defaultRefUrls"),
        ({"name": "a", "defaultRefUrls": [7]}, "defaultRefUrls.0"),
        ({"name": "a", "defaultRefUrls": ["https://example.com/a.jpg"] * 10}, "defaultRefUrls"),
        ([], "body"),
    ],
)
def test_a_value_that_does_not_fit_is_422_and_named_as_it_was_sent(call: Caller, body: Any, field: str) -> None:
    assert field in problem(call("POST", "/api/workspaces", body), 422, "invalid")["errors"]


def test_what_nobody_may_set_is_refused(call: Caller, owner: User) -> None:
    for key, value in {"owner": 1, "ownerId": 1, "id": str(uuid4()), "createdAt": "2020-01-01"}.items():
        errors = problem(call("POST", "/api/workspaces", {"name": "a", key: value}), 422, "invalid")["errors"]
        assert list(errors) == [key]
    assert not owner.workspaces.exists()


def test_an_unknown_key_is_named_with_those_that_are_known(call: Caller, owner: User) -> None:
    row = RowFactory(workspace__owner=owner)
    told = problem(call("PATCH", f"/api/rows/{row.pk}", {"prompt_override": "A shoe", "label": 7}), 422, "invalid")
    assert told["errors"]["prompt_override"][0].startswith("Unknown. Is promptOverride meant? Known are ")
    assert "label" in told["errors"]
    inner = problem(
        call("POST", f"/api/workspaces/{row.workspace_id}/rows", {"rows": [{"Label": "a"}]}), 422, "invalid"
    )
    assert "Is label meant?" in inner["errors"]["rows.0.Label"][0]


def test_two_parts_of_one_name_are_not_one(call: Caller) -> None:
    response = call.upload("/api/assets", file=[picture_file("a.png"), picture_file("b.png", colour="red")])
    assert problem(response, 422, "invalid")["errors"] == {"file": ["Send only one."]}


def test_a_query_that_an_operation_does_not_know_is_refused(call: Caller) -> None:
    assert "'staus'" in problem(call("GET", "/api/jobs?staus=failed"), 400, "query_invalid")["detail"]
    assert "2 times" in problem(call("GET", "/api/jobs?limit=1&limit=2"), 400, "query_invalid")["detail"]
    problem(call("GET", "/api/jobs?limit=007"), 400, "query_invalid")
    problem(call("GET", "/api/jobs/pending-count?x=1"), 400, "query_invalid")


def test_a_count_with_leading_zeros_is_no_count(call: Caller, owner: User) -> None:
    row = RowFactory(workspace__owner=owner)
    problem(call("GET", f"/api/rows/{row.pk}/quote?count=00012"), 400, "query_invalid")


def test_an_id_may_be_written_in_capitals(call: Caller, owner: User) -> None:
    row = RowFactory(workspace__owner=owner)
    assert call("GET", f"/api/rows/{str(row.pk).upper()}").json()["id"] == str(row.pk)


def test_a_slash_too_many_is_explained_by_the_api(call: Caller) -> None:
    for method in ("GET", "POST"):
        assert "without a slash: /api/jobs." in problem(call(method, "/api/jobs/"), 404, "no_such_path")["action"]


def test_401_says_how_to_sign_in(nobody: Caller, db: None) -> None:
    response = nobody("GET", "/api/jobs")
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_405_names_the_methods(call: Caller) -> None:
    response = call("PUT", "/api/workspaces", {})
    problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/jobs/not-a-uuid", "/api/jobs/", "/api/workspaces/1/rows"])
def test_an_unknown_address_is_a_problem(call: Caller, path: str) -> None:
    problem(call("GET", path), 404, "no_such_path")


def test_the_scope_that_is_missing_is_named(owner: User) -> None:
    reader = caller_of(owner, "read")
    assert reader("GET", "/api/workspaces").status_code == 200
    assert problem(reader("POST", "/api/workspaces", {"name": "a"}), 403, "missing_scope")["scope"] == "write"
    writer = caller_of(owner, "write")
    assert problem(writer("GET", "/api/workspaces"), 403, "missing_scope")["scope"] == "read"


def test_a_session_needs_the_csrf_token(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    problem(browser.post("/api/workspaces", {"name": "a"}, content_type=JSON), 403, "csrf_failed")
    browser.cookies["csrftoken"] = "a" * 32
    sent = browser.post("/api/workspaces", {"name": "a"}, content_type=JSON, headers={"X-CSRFToken": "a" * 32})
    assert sent.status_code == 201


def test_a_wrong_token_is_refused_although_the_session_would_do(owner: User) -> None:
    caller = Caller("pr_live_wrong", user=owner)
    problem(caller("GET", "/api/jobs"), 401, "not_authenticated")


def test_a_bug_tells_nothing_of_the_inside(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_fields: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(workspaces, "create_workspace", broken)
    response = call("POST", "/api/workspaces", {"name": "a"})
    body = problem(response, 500, "internal_error")
    assert body["requestId"] == response["X-Request-Id"]
    assert b"swordfish" not in response.content


def test_a_database_that_is_away_is_503(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_fields: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(workspaces, "create_workspace", away)
    response = call("POST", "/api/workspaces", {"name": "a"})
    problem_body = response.json()
    assert (response.status_code, problem_body["code"]) == (503, "database_away")
    assert response["Retry-After"]


def test_no_cache_keeps_an_answer(call: Caller, nobody: Caller) -> None:
    assert call("GET", "/api/workspaces")["Cache-Control"] == "no-store"
    assert nobody("GET", "/api/workspaces")["Cache-Control"] == "no-store"


def test_times_are_utc_with_z_and_names_camel_case(call: Caller, owner: User) -> None:
    row = RowFactory(workspace__owner=owner)
    shown = call("GET", f"/api/rows/{row.pk}").json()
    assert shown["createdAt"].endswith("Z")
    assert not [name for name in shown if "_" in name]
