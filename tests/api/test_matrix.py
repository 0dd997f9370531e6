"""Every route × everybody who may come. A route that is not in the table fails, so that none is forgotten."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts.models import User
from tests.api.conftest import Caller, caller_of
from tests.factories import (
    AssetFactory,
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    StaffFactory,
    UserFactory,
    finish,
    picture_file,
    token_for,
)
from tests.listings import things

OUR_ROOTS = ("api/", "media/")
ACTORS = ("anonymous", "stranger", "owner", "staff", "no_scope", "expired", "revoked")


Answers = dict[str, int]


def owned(
    ok: int, *, stranger: int = 404, staff: int | None = None, anonymous: int = 401, no_scope: int = 403
) -> Answers:
    """Who gets what from a thing that belongs to the owner. Staff are strangers here: the admin is theirs."""
    return {
        "anonymous": anonymous,
        "stranger": stranger,
        "owner": ok,
        "staff": stranger if staff is None else staff,
        "no_scope": no_scope,
        "expired": 401,
        "revoked": 401,
    }


def anybody_signed_in(ok: int) -> Answers:
    return owned(ok, stranger=ok)


STAFF_ONLY = owned(401, stranger=401, staff=200, no_scope=401)
FILES = owned(200, staff=200, anonymous=404)  # the admin and the desk show everybody's


def _workspace(user: User) -> Any:
    return RowFactory(workspace__owner=user).workspace


def _row(user: User) -> Any:
    return RowFactory(workspace__owner=user, target_url=_asset_url(user), prompt_override="A shoe on sand")


def _asset_url(user: User) -> str:
    return f"/media/assets/{AssetFactory(owner=user).pk}"


def _job(user: User, kind: str = "image") -> Any:
    return JobFactory(kind=kind, row=_row(user))


def _paid_call(user: User) -> Any:
    return CallFactory(owner=user, job_id=_job(user).pk)


def _image(user: User) -> Any:
    return GeneratedImageFactory(row=_row(user))


Request = tuple[str, Any]
Case = tuple[str, Callable[[User], Request], Answers]


def _to(pattern: str, thing: Callable[[User], Any], body: Any = None) -> Callable[[User], Request]:
    def request(user: User) -> Request:
        made = thing(user)
        return pattern.format(getattr(made, "uid", None) or made.pk), body

    return request


def _plain(path: str, body: Any = None) -> Callable[[User], Request]:
    return lambda _user: (path, body)


def _of_row(path: str, **body: Any) -> Callable[[User], Request]:
    return lambda user: (path, {"rowId": str(_row(user).pk), **body})


def _of_rows(verb: str, **body: Any) -> Callable[[User], Request]:
    def request(user: User) -> Request:
        row = _row(user)
        return f"/api/workspaces/{row.workspace_id}/{verb}", {"rowIds": [str(row.pk)], **body}

    return request


def _in_project(
    path: str, thing: Callable[[User], Any] = things.project_of, body: Any = None
) -> Callable[[User], Request]:
    """`{project}` and `{thing}` of what belongs to the user."""

    def request(user: User) -> Request:
        made = thing(user)
        project = made if thing is things.project_of else made.project
        return path.format(project=project.pk, thing=made.pk), body

    return request


def _process(path: str, **body: Any) -> Callable[[User], Request]:
    return lambda user: (path, {"projectId": str(things.project_of(user).pk), **body})


def _new_prompt(user: User) -> Request:
    row = _row(user)
    return "/api/prompt/queue", {"rowId": str(row.pk), "targetUrl": row.target_url}


CASES: dict[str, list[Case]] = {
    "api:row-quote": [("GET", _to("/api/rows/{}/quote", _row), owned(200))],
    "api:strategies": [("GET", _plain("/api/strategies"), anybody_signed_in(200))],
    "api:workspace-strategies": [("GET", _to("/api/workspaces/{}/strategies", _workspace), owned(200))],
    "api:spend": [("GET", _plain("/api/spend"), anybody_signed_in(200))],
    "api:budgets": [("GET", _plain("/api/budgets"), anybody_signed_in(200))],
    "api:prompt-queue": [
        ("GET", _plain("/api/prompt/queue"), anybody_signed_in(200)),
        ("POST", _new_prompt, owned(201)),
    ],
    "api:prompt-queue-item": [
        ("GET", _to("/api/prompt/queue/{}", lambda user: _job(user, "prompt")), owned(200)),
        ("DELETE", _to("/api/prompt/queue/{}", lambda user: _job(user, "prompt")), owned(200)),
    ],
    "api:jobs": [("GET", _plain("/api/jobs"), anybody_signed_in(200))],
    "api:jobs-create": [("POST", _of_row("/api/jobs/create", useAiPrompt=False), owned(201))],
    "api:jobs-pending-count": [("GET", _plain("/api/jobs/pending-count"), anybody_signed_in(200))],
    "api:job": [
        ("GET", _to("/api/jobs/{}", _job), owned(200)),
        ("PATCH", _to("/api/jobs/{}", _job, {"priority": 7}), owned(200)),
        ("DELETE", _to("/api/jobs/{}", _job), owned(200)),
    ],
    "api:job-retry": [
        ("POST", _to("/api/jobs/{}/retry", lambda user: finish(_job(user), error="provider_error")), owned(201))
    ],
    "api:workspaces": [
        ("GET", _plain("/api/workspaces"), anybody_signed_in(200)),
        ("POST", _plain("/api/workspaces", {"name": "Shoes"}), anybody_signed_in(201)),
    ],
    "api:workspace": [
        ("GET", _to("/api/workspaces/{}", _workspace), owned(200)),
        ("PATCH", _to("/api/workspaces/{}", _workspace, {"name": "Boots"}), owned(200)),
        ("DELETE", _to("/api/workspaces/{}", _workspace), owned(204)),
    ],
    "api:rows": [
        ("GET", _to("/api/workspaces/{}/rows", _workspace), owned(200)),
        ("POST", _to("/api/workspaces/{}/rows", _workspace, {"label": "Left"}), owned(201)),
    ],
    "api:row": [
        ("GET", _to("/api/rows/{}", _row), owned(200)),
        ("PATCH", _to("/api/rows/{}", _row, {"label": "Right"}), owned(200)),
        ("DELETE", _to("/api/rows/{}", _row), owned(204)),
    ],
    "api:rows-generate": [("POST", _of_rows("generate", useAiPrompt=False), owned(200))],
    "api:rows-cancel": [("POST", _of_rows("cancel"), owned(200))],
    "api:rows-remove": [("POST", _of_rows("remove"), owned(200))],
    "api:rows-restore": [("POST", _of_rows("restore"), owned(200))],
    "api:image": [("PATCH", _to("/api/images/{}", _image, {"favourite": True}), owned(200))],
    "api:assets": [
        ("UPLOAD", _plain("/api/assets"), anybody_signed_in(201)),
        ("GET", _plain("/api/assets"), anybody_signed_in(200)),
    ],
    "api:assets-fetch": [
        ("POST", lambda user: ("/api/assets/fetch", {"url": _asset_url(user)}), owned(201, stranger=422)),
    ],
    "api:assets-space": [("GET", _plain("/api/assets/space"), anybody_signed_in(200))],
    "api:asset": [
        ("GET", _to("/api/assets/{}", lambda user: AssetFactory(owner=user)), owned(200)),
        ("DELETE", _to("/api/assets/{}", lambda user: AssetFactory(owner=user)), owned(204)),
    ],
    "api:call-settle": [
        # settled already: the ledger commits at once, so its own tests need no transaction round them
        ("POST", _to("/api/calls/{}/settle", _paid_call, {"decision": "never_arrived"}), owned(409))
    ],
    "api:webhook-wavespeed": [("POST", _plain("/api/webhooks/wavespeed", {"id": "p1"}), dict.fromkeys(ACTORS, 401))],
    "api:events": [("GET", _plain("/api/events"), anybody_signed_in(307))],
    "api:dispatch": [("POST", _plain("/api/dispatch"), STAFF_ONLY)],
    "api:cron-prompt-processor": [("POST", _plain("/api/cron/prompt-processor"), STAFF_ONLY)],
    "api:init": [
        ("GET", _plain("/api/init"), anybody_signed_in(200)),
        ("POST", _plain("/api/init"), STAFF_ONLY),
    ],
    "api:schema": [("GET", _plain("/api/schema"), owned(200, stranger=200, staff=200, no_scope=200))],
    "api:docs": [("GET", _plain("/api/docs"), owned(200, stranger=200, staff=200, no_scope=200, anonymous=302))],
    "api:unknown": [("GET", _plain("/api/no/such/thing"), dict.fromkeys(ACTORS, 404))],
    "api:projects": [
        ("GET", _plain("/api/projects"), anybody_signed_in(200)),
        ("POST", _plain("/api/projects", {"name": "Cup"}), anybody_signed_in(201)),
    ],
    "api:project": [
        ("GET", _in_project("/api/projects/{project}"), owned(200)),
        ("PATCH", _in_project("/api/projects/{project}", body={"style": "bold"}), owned(200)),
        ("DELETE", _in_project("/api/projects/{project}"), owned(204)),
    ],
    "api:project-facts": [("PUT", _in_project("/api/projects/{project}/facts", body={"facts": []}), owned(200))],
    "api:project-photos": [("UPLOAD", _in_project("/api/projects/{project}/photos"), owned(422))],  # a tiny one
    "api:project-photo": [
        ("DELETE", _in_project("/api/projects/{project}/photos/{thing}", things.photo_of), owned(204))
    ],
    "api:project-cutout": [
        ("POST", _in_project("/api/projects/{project}/cutout", body={"method": "quick"}), owned(202))
    ],
    "api:project-cutout-file": [("UPLOAD", _in_project("/api/projects/{project}/cutout/file"), owned(422))],
    "api:project-quote": [("POST", _in_project("/api/projects/{project}/quote", body={}), owned(200))],
    "api:project-images": [("GET", _in_project("/api/projects/{project}/images"), owned(200))],
    "api:project-choose": [
        ("POST", _in_project("/api/projects/{project}/images/{thing}/choose", things.image_of), owned(200))
    ],
    "api:project-compliance": [("GET", _in_project("/api/projects/{project}/compliance"), owned(200))],
    "api:pack-cancel": [
        ("POST", _in_project("/api/projects/{project}/packs/{thing}/cancel", things.pack_of), owned(200))
    ],
    "api:project-exports": [
        ("POST", _in_project("/api/projects/{project}/exports", things.image_of, {"platform": "amazon"}), owned(201))
    ],
    "api:project-export": [
        ("GET", _in_project("/api/projects/{project}/exports/{thing}", things.export_of), owned(200))
    ],
    "api:project-export-file": [
        ("GET", _in_project("/api/projects/{project}/exports/{thing}/file", things.export_of), owned(200))
    ],
    "api:project-export-now": [("GET", _in_project("/api/projects/{project}/export", things.image_of), owned(200))],
    "api:project-aplus": [("GET", _in_project("/api/projects/{project}/aplus"), owned(200))],
    "api:project-aplus-validate": [
        ("POST", _in_project("/api/projects/{project}/aplus/validate", body={"modules": []}), owned(200))
    ],
    "api:project-aplus-item": [
        ("GET", _in_project("/api/projects/{project}/aplus/{thing}", things.aplus_of), owned(200)),
        (
            "PUT",
            _in_project("/api/projects/{project}/aplus/{thing}", things.aplus_of, {"modules": [], "revision": 0}),
            owned(200),
        ),
    ],
    "api:process-image": [("POST", _process("/api/process-image", imageType="LIFESTYLE"), owned(202))],
    "api:process-complete-pack": [("POST", _process("/api/process-complete-pack"), owned(202))],
    "api:process-aplus": [("POST", _process("/api/process-aplus"), owned(202))],
    "api:brand-kits": [
        ("GET", _plain("/api/brand-kits"), anybody_signed_in(200)),
        ("POST", _plain("/api/brand-kits", {"name": "Ember", "colours": ["#A5401B"]}), anybody_signed_in(201)),
    ],
    "api:brand-kit": [
        ("PATCH", _to("/api/brand-kits/{}", things.kit_of, {"colours": ["#103F5C"]}), owned(200)),
        ("DELETE", _to("/api/brand-kits/{}", things.kit_of), owned(204)),
    ],
    "media:cutouts": [("GET", _to("/media/cutouts/{}", things.cutout_of), FILES)],
    "media:listing-images": [("GET", _to("/media/listing-images/{}", things.image_of), FILES)],
    "media:listing-images/thumbnail": [("GET", _to("/media/listing-images/{}/thumbnail", things.image_of), FILES)],
    "media:assets": [("GET", _to("/media/assets/{}", lambda user: AssetFactory(owner=user)), FILES)],
    "media:assets/thumbnail": [
        ("GET", _to("/media/assets/{}/thumbnail", lambda user: AssetFactory(owner=user)), FILES)
    ],
    "media:images": [("GET", _to("/media/images/{}", _image), FILES)],
    "media:images/thumbnail": [("GET", _to("/media/images/{}/thumbnail", _image), FILES)],
}
ROWS = [(name, *case) for name, cases in CASES.items() for case in cases]


def _actor(kind: str, owner: User) -> Caller:
    if kind == "anonymous":
        return Caller()
    if kind == "no_scope":
        return _with_scopes(owner, [])
    if kind in ("expired", "revoked"):
        return Caller(_dead_token(owner, kind))
    return caller_of({"stranger": UserFactory, "staff": StaffFactory, "owner": lambda: owner}[kind]())


def _with_scopes(user: User, scopes: list[str]) -> Caller:
    token, secret = token_for(user)
    token.scopes = scopes
    token.save()
    return Caller(secret)


def _dead_token(user: User, kind: str) -> str:
    token, secret = token_for(user, expires_at=timezone.now() - timedelta(days=1) if kind == "expired" else None)
    if kind == "revoked":
        token.revoked_at = timezone.now()
        token.save()
    return secret


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize(("name", "method", "request_for", "answers"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_each_route_for_each_caller(
    name: str,
    method: str,
    request_for: Callable[[User], Request],
    answers: Answers,
    actor: str,
    owner: User,
    settings: Any,
) -> None:
    settings.LIVE_URL = "http://127.0.0.1:9"
    path, body = request_for(owner)
    caller = _actor(actor, owner)
    response = caller.upload(path, file=picture_file()) if method == "UPLOAD" else caller(method, path, body)
    assert response.status_code == answers[actor], response.content


def test_no_route_is_forgotten() -> None:
    assert {name for name, _methods in _routes()} == set(CASES)


def test_no_method_is_forgotten() -> None:
    known = {(name, "POST" if method == "UPLOAD" else method) for name, method, *_ in ROWS}
    served = {(name, method) for name, methods in _routes() for method in methods}
    assert served == known


def _routes() -> Iterator[tuple[str, set[str]]]:
    for resolver in get_resolver().url_patterns:
        if str(resolver.pattern).startswith(OUR_ROOTS):
            yield from _leaves(resolver, "")


def _leaves(pattern: URLPattern | URLResolver, namespace: str) -> Iterator[tuple[str, set[str]]]:
    if isinstance(pattern, URLPattern):
        yield f"{namespace}{pattern.name}", _methods(pattern)
        return
    for inner in pattern.url_patterns:
        yield from _leaves(inner, f"{pattern.namespace}:" if pattern.namespace else namespace)


def _methods(pattern: URLPattern) -> set[str]:
    view = getattr(pattern.callback, "cls", None)
    verbs = ("get", "post", "put", "patch", "delete")
    return {verb.upper() for verb in verbs if hasattr(view, verb)} or {"GET"}


def test_a_guessed_token_opens_nothing(db: None) -> None:
    assert Caller(f"pr_live_{secrets.token_urlsafe(32)}")("GET", "/api/jobs").status_code == 401
