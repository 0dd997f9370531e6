"""What surrounds every request: an id for the logs, and a clear answer while PostgreSQL is away."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.core.context import logged

log = structlog.get_logger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class RequestIdMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _ID.match(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with logged(request=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class DatabaseAwayMiddleware:
    """Answers 503 with Retry-After when the database cannot be reached, instead of a page of traceback."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        log.error("database_away", error=type(exception).__name__)
        return database_away_response(request)


def database_away_response(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "database_away",
            "detail": "The database cannot be reached. Nothing was lost.",
            "action": "Try again in a few seconds.",
        }
        response: HttpResponse = JsonResponse(body, status=503, content_type="application/problem+json")
    else:
        response = render(None, "503.html", status=503)
    response["Retry-After"] = "5"
    return response
