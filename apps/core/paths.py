"""Addresses as people type them: a slash too many or too few, a UUID in capital letters."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.utils.http import escape_leading_slashes

_UUID = re.compile(r"(?<=/)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?=/|$)")
# Programs, not people, ask here: each of these says itself what is wrong with an address.
EXACT = ("/api/", "/static/")
READ_BY_PEOPLE = "/api/docs"
CATCH_ALL = "catch_all_view"  # the admin's own answer to every address that it does not know


class ForgivingPathsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A UUID means the same in capitals. A page that is not found is looked for with, or without, its last slash,
        and a GET is sent there with its query."""
        request.path_info = lower_ids(request.path_info)
        request.path = lower_ids(request.path)
        response = self.get_response(request)
        if response.status_code == 404 and request.method in ("GET", "HEAD"):
            other = meant(request.path_info)
            if other:
                query = request.META.get("QUERY_STRING", "")
                return HttpResponseRedirect(escape_leading_slashes(other) + (f"?{query}" if query else ""))
        return response


def lower_ids(path: str) -> str:
    return _UUID.sub(lambda match: match[0].lower(), path)


def meant(path: str) -> str:
    """The address with one last slash more, or without any, that leads to a page; empty when neither does."""
    other = path.rstrip("/") if path.endswith("/") else path + "/"
    if path.startswith(("//", *EXACT)) and other != READ_BY_PEOPLE:
        return ""
    try:
        found = resolve(other)
    except Resolver404:
        return ""
    return "" if found.func.__name__ == CATCH_ALL else other
