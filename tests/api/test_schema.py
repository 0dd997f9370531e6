"""The schema is complete and true: what the API answers is what the schema says, whatever is sent."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from hypothesis import HealthCheck
from hypothesis import settings as bounded
from jsonschema import Draft202012Validator, FormatChecker
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts.models import User
from config.wsgi import application
from tests.api.conftest import Caller, problem
from tests.factories import AssetFactory, GeneratedImageFactory, JobFactory, RowFactory, StaffFactory, finish, token_for

ZIPS = {"get /api/projects/{project_id}/export", "get /api/projects/{project_id}/exports/{export_id}/file"}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES_EACH = 8


def described() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


schema = schemathesis.openapi.from_dict(described())
schema.app = application


def test_the_schema_is_valid_and_without_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_operation_has_a_summary_a_name_and_says_how_to_be_refused() -> None:
    operations = [
        (path, method, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 29
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert "application/problem+json" in operation["responses"]["401"]["content"], (path, method)
        assert not path.endswith("/")


def _examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            told = [("answer", content) for answer in operation["responses"].values() for content in _content(answer)]
            asked = [("request", content) for content in _content(operation.get("requestBody", {}))]
            for what, content in [*told, *asked]:
                for example in content.get("examples", {}).values():
                    yield f"{method} {path} {what}", example["value"], content["schema"]


def _content(holder: dict[str, Any]) -> list[dict[str, Any]]:
    return [content for kind, content in holder.get("content", {}).items() if kind == "application/json"]


def test_the_examples_are_true() -> None:
    components = described()["components"]
    shown = list(_examples())
    for where, value, schema_of in shown:
        validator = Draft202012Validator({**schema_of, "components": components}, format_checker=FormatChecker())
        errors = [error.message for error in validator.iter_errors(value)]
        assert not errors, (where, errors)
    answered = {where.rsplit(" ", 1)[0] for where, *_ in shown if where.endswith("answer")}
    every = {f"{method} {path}" for path, methods in described()["paths"].items() for method in methods}
    without_body = {where for where in every if where.startswith("delete")} | {"get /api/events"} | ZIPS
    assert every - answered <= without_body


def test_it_is_served_as_yaml_and_json_with_a_reference(call: Caller) -> None:
    for path in ("/api/schema?format=yaml", "/api/schema"):
        assert call("GET", path, Accept="application/yaml").content.startswith(b"openapi:")
    page = call("GET", "/api/docs").content.decode()
    assert "/api/docs?script=" in page
    assert "/api/schema" in call("GET", "/api/docs?script=").content.decode()
    assert "https://" not in page.replace("https://www.w3.org", ""), "the reference must bring its own scripts"


@pytest.mark.parametrize("accept", ["*/*", "", "application/json", "text/html", "application/xml", "nonsense"])
@pytest.mark.parametrize("query", ["", "?format=json", "?format=no-such"])
def test_the_schema_is_json_for_whoever_names_no_yaml(call: Caller, accept: str, query: str) -> None:
    response = call("GET", f"/api/schema{query}", Accept=accept)
    assert response.status_code == 200
    assert response.json()["info"]["title"] == spectacular_settings.TITLE


def test_strangers_are_sent_to_sign_in_unless_the_reference_is_public(nobody: Caller, db: None, settings: Any) -> None:
    problem(nobody("GET", "/api/schema"), 401, "not_authenticated")
    assert nobody("GET", "/api/docs")["Location"] == "/signin?next=/api/docs"
    settings.PUBLIC_REFERENCE = True
    assert nobody("GET", "/api/schema").status_code == nobody("GET", "/api/docs").status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/schema", "/api/docs", "/api/jobs", "/media/assets/1d6c4f3e-9a1b-4a77-b0c5-3f6f1e8a9c41"]
)
@pytest.mark.parametrize("accept", ["application/yaml", "text/html", "application/json"])
def test_a_problem_is_json_whatever_the_view_speaks(db: None, path: str, accept: str) -> None:
    page = path == "/api/docs" and accept != "text/html"  # what it cannot be is told before who asks
    status, code = (406, "not_acceptable") if page else (401, "not_authenticated")
    problem(Caller("pr_live_nonsense")("GET", path, Accept=accept), status, code)


@pytest.fixture(autouse=True)
def _connection_of_the_test() -> Iterator[None]:
    """A WSGI request ends with closing the connection, and here it is the one that the test's transaction is on."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def things(owner: User) -> dict[str, str]:
    """One of each, so that many of the tried requests find something."""
    row = RowFactory(workspace__owner=owner, target_url=f"/media/assets/{AssetFactory(owner=owner).pk}")
    prompt = JobFactory(kind="prompt", row=row)
    failed = finish(JobFactory(row=row, priority=9), error="provider_error")
    return {
        "workspace_id": str(row.workspace_id),
        "row_id": str(row.pk),
        "prompt_job_id": str(prompt.uid),
        "job_id": str(failed.uid),
        "image_id": str(GeneratedImageFactory(row=row).pk),
        "asset_id": str(AssetFactory(owner=owner).pk),
    }


@pytest.fixture
def live_elsewhere(settings: Any) -> None:
    settings.LIVE_URL = "http://127.0.0.1:9"


@pytest.fixture(params=["owner", "staff"])
def token(request: pytest.FixtureRequest, owner: User) -> str:
    return token_for(owner if request.param == "owner" else StaffFactory())[1]


@schema.parametrize()
@bounded(
    max_examples=EXAMPLES_EACH,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_as_described(
    case: Any, things: dict[str, str], token: str, live_elsewhere: None
) -> None:
    for name, value in things.items():
        if name in (case.path_parameters or {}):
            case.path_parameters[name] = value
    if isinstance(case.body, dict) and "rowId" in case.body and len(str(case.body["rowId"])) == 36:
        case.body["rowId"] = things["row_id"]
    response = case.call(headers={"Authorization": f"Bearer {token}"})
    case.validate_response(response, checks=CHECKS)
