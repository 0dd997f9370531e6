"""What surrounds every request: an id for the logs, and a clear answer while PostgreSQL is away."""

import re
import uuid
from collections.abc import Callable
from urllib.parse import unquote_plus

import structlog
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from apps.core.context import logged
from apps.core.database import is_conflict, is_out_of_room, note_refused_write

log = structlog.get_logger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
_AGAIN = "Try again in a few seconds."
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


class HostMiddleware:
    """Answers only to the names in ALLOWED_HOSTS. Anybody can call it something else: one line in the log, no traceback."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            log.info("host_refused", host=request.META.get("HTTP_HOST", "")[:100])
            return _host_refused(request.path)
        return self.get_response(request)


class NulMiddleware:
    """Refuses an address with a NUL in it, wherever it leads: PostgreSQL takes none, and nobody means one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" not in request.path_info and "\0" not in unquote_plus(request.META.get("QUERY_STRING", "")):
            return self.get_response(request)
        if not request.path.startswith("/api/"):
            return render(None, "400.html", status=400)
        body = {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "malformed"}
        body |= {
            "detail": "The address has a NUL byte (%00) in it.",
            "action": "Send it without.",
            "instance": request.path,
        }
        return JsonResponse(body, status=400, content_type="application/problem+json")


def _host_refused(path: str) -> HttpResponse:
    detail = "This desk does not answer to the name it was called by."
    action = "Open it by its own address; whoever runs it names every address of it in ALLOWED_HOSTS."
    if not path.startswith("/api/"):
        return HttpResponse(f"{detail}\n{action}\n", status=400, content_type="text/plain; charset=utf-8")
    body = {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "unknown_host"}
    body |= {"detail": detail, "action": action, "instance": path}
    return JsonResponse(body, status=400, content_type="application/problem+json")


class DatabaseAwayMiddleware:
    """Answers 503 with Retry-After when the database cannot be reached, instead of a page of traceback."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        return database_away_response(request, exception)


def database_away_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """503 with Retry-After: the database is away, too busy with others for this request, or has no room left."""
    code, detail, action = "database_away", "The database cannot be reached. Nothing was lost.", _AGAIN
    if is_conflict(error):
        code, detail = "database_busy", "The database is busy. Nothing was done."
    if is_out_of_room(error):
        note_refused_write()
        code, detail = "database_full", "The database has no room left. Nothing was done, and nothing is lost."
        action = "Whoever runs this desk must make room on the database's disk; it goes on by itself then."
    log.error(code, error=type(error).__name__)
    told = {"code": code, "detail": detail, "action": action}
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": "Service Unavailable", "status": 503, **told}
        response: HttpResponse = JsonResponse(body, status=503, content_type="application/problem+json")
    else:
        response = render(None, "503.html", told, status=503)
    response["Retry-After"] = "5"
    return response
