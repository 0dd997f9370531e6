"""Every refusal of the API as RFC 9457 problem details, `application/problem+json`, with a stable `code`."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from apps.core.errors import Problem, not_found
from apps.core.middleware import database_away_response

log = structlog.get_logger(__name__)
PROBLEM_JSON = "application/problem+json"
MAX_ERRORS = 50


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler: `type, title, status, detail, code, action, instance` and what the error adds."""
    request = context["request"]._request
    if isinstance(error, OperationalError | InterfaceError):
        return database_away_response(request, error)
    problem = as_problem(error) or _unexpected(error, request)
    body = {**problem_body(problem), "instance": request.path}
    # A view may speak YAML or HTML, or have failed to agree on anything: its problems are JSON all the same.
    context["request"].accepted_renderer = api_settings.DEFAULT_RENDERER_CLASSES[0]()  # type: ignore[operator]
    context["request"].accepted_media_type = PROBLEM_JSON
    return Response(body, status=problem.status, headers=problem.headers, content_type=PROBLEM_JSON)


def problem_body(problem: Problem) -> dict[str, object]:
    return {
        **problem.extra,  # first: what an error adds never hides a member of the standard
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "action": problem.action,
    }


def as_problem(error: Exception) -> Problem | None:
    """What a known error means to the client; None when it is a bug of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return _does_not_fit(error)
    if isinstance(error, RequestDataTooBig):
        return too_large("1 MB")
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return malformed("The request could not be read.")
    if isinstance(error, Http404):
        return not_found("thing")
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return Problem(403, "forbidden", "This is not allowed with this account.", "Ask whoever runs this desk.")
    return _of_rest_framework(error) if isinstance(error, exceptions.APIException) else None


def malformed(detail: str) -> Problem:
    return Problem(400, "malformed", detail, "Send well-formed JSON in UTF-8, as the reference at /api/docs shows it.")


def too_large(limit: str) -> Problem:
    return Problem(413, "too_large", f"The request is larger than {limit}.", "Send less at once.")


def _of_rest_framework(error: exceptions.APIException) -> Problem | None:
    detail = str(error.detail)
    match error:
        case exceptions.ParseError():
            return malformed(detail)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            # the header is set by DRF on the exception, for the first way to authenticate
            headers = {"WWW-Authenticate": getattr(error, "auth_header", "Bearer")}
            action = "Send a token as Authorization: Bearer pr_live_…, or sign in."
            return Problem(401, "not_authenticated", detail, action, headers=headers)
        case exceptions.MethodNotAllowed():
            return Problem(405, "method_not_allowed", detail, "The Allow header names the methods that are.")
        case exceptions.NotAcceptable():
            return Problem(406, "not_acceptable", detail, "Leave the Accept header out, or ask for */*.")
        case exceptions.UnsupportedMediaType():
            return Problem(415, "unsupported_media_type", detail, "The reference at /api/docs names the type to send.")
        case exceptions.NotFound():
            return not_found("thing")
    return None


def _does_not_fit(error: exceptions.ValidationError) -> Problem:
    errors = dict(list(_by_field(error.detail))[:MAX_ERRORS])
    field, messages = next(iter(errors.items()), ("body", ["The request does not fit."]))
    detail = f"{field}: {messages[0]}"
    return Problem(422, "invalid", detail, "Correct what is named and send it again.", {"errors": errors})


def _by_field(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Nested errors as `refUrls.1`, camelCase as they were sent."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _by_field(inner, path if name == "non_field_errors" else f"{path}.{name}".strip("."))
    elif isinstance(detail, list) and any(isinstance(inner, dict) for inner in detail):
        for index, inner in enumerate(detail):
            yield from _by_field(inner, f"{path}.{index}".strip("."))
    elif detail:
        yield path or "body", [str(text) for text in (detail if isinstance(detail, list) else [detail])]


def _unexpected(error: Exception, request: Any) -> Problem:
    log.error("unexpected_error", path=request.path, exc_info=error)
    request_id = getattr(request, "request_id", "")
    return Problem(
        500,
        "internal_error",
        "Something in Pressroom is broken; this was written down.",
        "Try again; if it stays, give whoever runs this desk the request id.",
        {"requestId": request_id},
    )
