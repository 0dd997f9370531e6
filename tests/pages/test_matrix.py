"""Every page × everybody who may come. The API has its own matrix, the administration its own walk."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import BrowserSession, User
from apps.studio.models import Row
from tests.factories import (
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    StaffFactory,
    UserFactory,
    token_for,
)
from tests.listings import things

pytestmark = pytest.mark.django_db
ACTORS = ("anonymous", "stranger", "owner", "staff")
# Whose matrix or walk covers what stands under these; the rest are pages.
ELSEWHERE = {"admin/": "tests/accounts/test_admin_walk.py", "api/": "tests/api", "media/": "tests/api"}
DOORS = {"admin-door"}  # tests/accounts/test_guessing.py
FOR_ALL = {"signin", "favicon"}
Answers = dict[str, int]


def owned(ok: int = 200, *, staff: int = 404) -> Answers:
    return {"anonymous": 302, "stranger": 404, "owner": ok, "staff": staff}


def anybody_signed_in(ok: int = 200) -> Answers:
    return {"anonymous": 302, "stranger": ok, "owner": ok, "staff": ok}


def _row(user: User) -> Row:
    row: Row = RowFactory(workspace__owner=user)
    return row


def _of_workspace(rest: str = "") -> Callable[[User], str]:
    return lambda user: f"/workspaces/{_row(user).workspace_id}{rest}"


def _of_row(rest: str = "") -> Callable[[User], str]:
    def path(user: User) -> str:
        row = GeneratedImageFactory(row=_row(user)).row
        return f"/workspaces/{row.workspace_id}/rows/{row.pk}{rest}"

    return path


def _of_pictures(user: User) -> str:
    return f"/workspaces/{GeneratedImageFactory(row=_row(user)).row.workspace_id}/images.zip"


def _browser(user: User) -> str:
    Client().force_login(user)
    return f"/account/browsers/{BrowserSession.objects.filter(user=user).earliest('pk').pk}/sign-out"


def _aplus_picture(user: User) -> str:
    page = things.aplus_of(user)
    return f"/listings/{page.project_id}/aplus/{page.pk}/0/companyLogo"


def _plain(path: str) -> Callable[[User], str]:
    return lambda _user: path


CASES: dict[str, tuple[str, Callable[[User], str], Answers]] = {
    "signin": ("GET", _plain("/signin"), {"anonymous": 200, "stranger": 302, "owner": 302, "staff": 302}),
    "signout": ("POST", _plain("/signout"), dict.fromkeys(ACTORS, 302)),
    "favicon": ("GET", _plain("/favicon.ico"), dict.fromkeys(ACTORS, 302)),
    "workspaces": ("GET", _plain("/"), anybody_signed_in()),
    "workspace": ("GET", _of_workspace(), owned()),
    "workspace_zip": ("GET", _of_pictures, owned()),
    "rows": ("GET", _of_workspace("/rows"), owned()),
    "row_changes": ("GET", _of_workspace("/rows/changes"), owned()),
    "row": ("GET", _of_row(), owned()),
    "row_zip": ("GET", _of_row("/images.zip"), owned()),
    "strategies": ("GET", _of_workspace("/strategies"), owned()),
    "projects": ("GET", _plain("/listings"), anybody_signed_in()),
    "project": ("GET", lambda user: f"/listings/{things.image_of(user).project_id}", owned()),
    "project_live": ("GET", lambda user: f"/listings/{things.image_of(user).project_id}/live", owned()),
    "project_quota": ("GET", lambda user: f"/listings/{things.project_of(user).pk}/quota", owned()),
    "project_versions": (
        "GET",
        lambda user: f"/listings/{things.image_of(user).project_id}/versions/MAIN_IMAGE",
        owned(),
    ),
    "project_aplus": ("GET", lambda user: f"/listings/{things.aplus_of(user).project_id}/aplus", owned()),
    "project_aplus_module": (
        "GET",
        lambda user: f"/listings/{things.project_of(user).pk}/aplus/module?type=STANDARD_TEXT",
        owned(),
    ),
    "project_aplus_picture": ("GET", _aplus_picture, owned()),
    "spending": ("GET", _plain("/spending"), anybody_signed_in()),
    "image": ("GET", lambda user: f"/images/{GeneratedImageFactory(row=_row(user)).pk}", owned()),
    # to staff it is a page of the desk, to read
    "job": ("GET", lambda user: f"/jobs/{JobFactory(row=_row(user)).uid}", owned(staff=200)),
    "queue": ("GET", _plain("/queue"), anybody_signed_in()),
    "queue_list": ("GET", _plain("/queue/list"), anybody_signed_in()),
    "queue_summary": ("GET", _plain("/queue/summary"), anybody_signed_in()),
    "account": ("GET", _plain("/account"), anybody_signed_in()),
    "change_password": ("POST", _plain("/account/password"), anybody_signed_in(422)),
    "end_session": ("POST", _browser, owned(302)),
    "end_other_sessions": ("POST", _plain("/account/browsers/sign-out"), anybody_signed_in(302)),
    "revoke_token": ("POST", lambda user: f"/account/tokens/{token_for(user)[0].pk}/revoke", owned(302)),
    "revoke_all_tokens": ("POST", _plain("/account/tokens/revoke"), anybody_signed_in(302)),
}


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("name", CASES)
def test_each_page_for_each_caller(name: str, actor: str, reader: User) -> None:
    method, path_for, answers = CASES[name]
    path = path_for(reader)
    caller = Client(raise_request_exception=False)
    who = {"stranger": UserFactory, "staff": StaffFactory, "owner": lambda: reader}.get(actor)
    if who:
        caller.force_login(who())
    response = getattr(caller, method.lower())(path)
    assert response.status_code == answers[actor]
    if actor == "anonymous" and name not in FOR_ALL:
        assert response["Location"].startswith("/signin")


def test_no_page_is_forgotten() -> None:
    assert {pattern.name for pattern in _pages(get_resolver())} - DOORS == set(CASES)


def _pages(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) not in ELSEWHERE:
                yield from _pages(pattern)
        else:
            yield pattern
