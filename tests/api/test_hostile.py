"""Whatever is sent to any route, it is an answer and never a fault of ours: no 5xx.

Everything exists and belongs to the caller, who may do everything, so that what is odd is met by the code behind the
first gate. Each request is undone, so that none takes away what the next one needs."""

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import User
from tests.api.conftest import Caller
from tests.api.test_matrix import CASES
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

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
ODD_TEXTS = (
    "",
    "\0",
    "-1",
    "0",
    "00012",
    "1e9",
    "9" * 400,
    "[]",
    "null",
    "true",
    "é\u202e",
    "2026-02-31",
    "../x",
    "'\"<>",
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "\0", "x" * 5000, "é\u202e", [], {}, [None], [[]], {"a": {}}),
    *(["x"] * 50, "2026-02-31", "../../x", "http://[", "javascript:1", "//evil"),
)
ODD_CURSORS: tuple[Any, ...] = (
    *([None], [True], [1.5], [[]], [{}], {}, "x", 1, None, [10**30], [-(10**18)], ["\0"], ["x"], [], [1, 2, 3], [[[]]]),
    *(["0001-01-01T00:00:00+14:00", 1], ["9999-12-31T23:59:59-14:00", 1], ["2026-01-01T00:00:00", None], [None, None]),
)
BODIES = (b"", b"null", b"[]", b"{}", b'"x"', b"7", b"{", b"\xff\xfe", b"[" * 5000, b'{"a": 1e999}')
PAGE_NAMES = ("q", "page", "state", "since", "row", "by", "from", "to", "download", "next", "cursor", "format")


class Everybody:
    """The caller, who is a superuser and owns what there is, and the ids of all that a route can name."""

    def __init__(self) -> None:
        self.user: User = StaffFactory(is_superuser=True)
        row = RowFactory(workspace__owner=self.user, target_url=f"/media/assets/{AssetFactory(owner=self.user).pk}")
        image = finish(JobFactory(kind="image", row=row), error="provider_error")
        prompt = finish(JobFactory(kind="prompt", row=row))
        token, self.secret = token_for(self.user)
        self.ids = {
            "workspace_id": row.workspace_id,
            "row_id": row.pk,
            "job_id": image.uid,
            "uid": image.uid,
            "prompt_job_id": prompt.uid,
            "image_id": GeneratedImageFactory(row=row).pk,
            "asset_id": AssetFactory(owner=self.user).pk,
            "call_id": CallFactory(owner=self.user, job_id=image.pk).pk,
            "token_id": token.pk,
        }
        self.http = Client(raise_request_exception=False)
        self.http.force_login(self.user)
        self.cookies = self.http.cookies.output()

    def answer(self, send: Callable[[], Any]) -> int:
        """The status of one request, which is undone with all that came of it; signing out, too."""
        cookies = self.http.cookies.copy()
        with transaction.atomic():
            response = send()
            if response.streaming:
                list(response.streaming_content)  # closes the file
            transaction.set_rollback(True)
        self.http.cookies = cookies
        return int(response.status_code)

    def __call__(self, method: str, path: str, body: bytes | None = None) -> int:
        return self.answer(lambda: self.http.generic(method, path, body or b"", content_type="application/json"))


@pytest.fixture
def everybody(db: None, settings: Any) -> Everybody:
    settings.LIVE_URL = "http://127.0.0.1:9"
    return Everybody()


def _leaves(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _leaves(pattern.url_patterns, route)
        else:
            yield route, pattern


def _paths(everybody: Everybody) -> dict[str, URLPattern]:
    """Every route of the application as an address that leads to something."""
    found = {}
    for route, pattern in _leaves(get_resolver().url_patterns):
        path = route.replace("^", "").replace("$", "").replace("(?P<url>.*)", "nothing")
        for name in pattern.pattern.converters:
            value = everybody.ids.get(name) or (everybody.ids["asset_id" if "assets" in route else "image_id"])
            if name in {"object_id", "content_type_id"}:
                value = _first_of(pattern) or 1
            for kind in ("uuid", "int", "path", "str"):
                path = path.replace(f"<{kind}:{name}>", str(value))
        path = path.replace("(?P<app_label>auth|", "").split("|")[0].split("(")[0]
        found[f"/{path}"] = pattern
    return found


def _first_of(pattern: URLPattern) -> Any:
    model = getattr(getattr(pattern.callback, "model_admin", None), "model", None)
    return getattr(model._default_manager.first(), "pk", None) if model else None


def test_every_method_on_every_route(everybody: Everybody) -> None:
    paths = _paths(everybody)
    assert len(paths) > 100
    sent = ((method, path) for path in paths for method in METHODS)
    assert [(method, path) for method, path in sent if everybody(method, path, b"{}") >= 500] == []


def test_odd_bodies_on_every_route_of_the_api(everybody: Everybody) -> None:
    sent = [
        (method, path, body)
        for path in _paths(everybody)
        if path.startswith("/api/")
        for method in ("POST", "PATCH")
        for body in BODIES
    ]
    assert [case for case in sent if everybody(*case) >= 500] == []


def test_odd_values_in_every_key_of_every_body(everybody: Everybody) -> None:
    """What each operation of the matrix takes, with one key after another replaced by something odd."""
    caller, failed, passed_the_gate = Caller(everybody.secret), [], set()
    for name, cases in CASES.items():
        for method, request_for, _answers in cases:
            if method not in {"POST", "PATCH"}:
                continue
            with transaction.atomic():
                path, body = request_for(everybody.user)
                for key, value in ((key, value) for key in {**(body or {}), "nobodyKnows": 0} for value in ODD_VALUES):
                    odd = json.dumps({**(body or {}), key: value})
                    status = everybody.answer(partial(caller.send, method, path, odd))
                    if status >= 500:
                        failed.append((name, method, key, value))
                    if status not in {401, 404}:
                        passed_the_gate.add((name, method))
                transaction.set_rollback(True)
    assert failed == []
    assert {("api:jobs-create", "POST"), ("api:row", "PATCH"), ("api:prompt-queue", "POST")} <= passed_the_gate


def test_odd_values_in_every_parameter_that_an_operation_names(everybody: Everybody) -> None:
    failed, seen = [], set()
    for path, pattern in _paths(everybody).items():
        operation = getattr(getattr(pattern.callback, "cls", None), "get", None)
        for name in getattr(operation, "query_names", ()):
            cursors = [_cursor(value) for value in ODD_CURSORS] if name == "cursor" else []
            for value in (*ODD_TEXTS, "%ff%fe", *cursors):
                seen.add(name)
                query = value if value.startswith("%") else quote(value)
                if everybody("GET", f"{path}?{name}={query}") >= 500:
                    failed.append((path, name, value))
    assert failed == []
    assert {"cursor", "limit", "status", "rowId", "count", "from"} <= seen


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_odd_values_in_the_query_of_every_page(everybody: Everybody) -> None:
    pages = [path for path in _paths(everybody) if not path.startswith(("/api/", "/admin/"))]
    sent = [
        f"{path}?" + "&".join(f"{name}={quote(value)}" for name in PAGE_NAMES) for path in pages for value in ODD_TEXTS
    ]
    assert [path for path in sent if everybody("GET", path) >= 500] == []
