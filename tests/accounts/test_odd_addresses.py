"""Odd bytes in addresses: refused or passed over, never a page of ours that breaks."""

from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.accounts.things import THINGS
from tests.api.conftest import Caller, caller_of, problem
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(THINGS, key=lambda model: model._meta.label)
NUL = ("%00", "a%00b", "%2500%00")
ODD = ("%FF%FE", "%ED%A0%80", "99999999999999999999999", "-1", "[]")
PAGES = ("/", "/account", "/queue", "/queue/summary", "/spending", "/signin", "/no-such-page")
API = ("/api/jobs", "/api/workspaces", "/api/spend", "/api/prompt/queue", "/api/jobs/pending-count", "/api/budgets")


@pytest.fixture(autouse=True)
def _own_media(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def root(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(StaffFactory(is_superuser=True))
    return client


def filters_of(model: type) -> set[str]:
    """What the list's own links ask, and what anybody may add."""
    model_admin = admin.site._registry[model]
    named = {one for one in model_admin.list_filter if isinstance(one, str)}
    shown = {one.parameter_name for one in model_admin.list_filter if hasattr(one, "parameter_name")}
    return {"q", "p", "o", "e", "pk", "id__exact", "_popup", "_to_field", *(f"{name}__exact" for name in named), *shown}


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_every_list_of_the_administration_survives_odd_filters(root: Client, model: type) -> None:
    THINGS[model]()
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answers = {
        f"{name}={value}": root.get(f"{address}?{name}={value}").status_code
        for name in sorted(filters_of(model))
        for value in ("%00", *map(quote_once, ODD))
    }
    assert {query: status for query, status in answers.items() if status >= 500} == {}
    assert {status for query, status in answers.items() if "%00" in query} == {400}
    for chosen in ("\0", "abc", "99999999999999999999999"):
        sent = {"action": "delete_selected", "_selected_action": chosen}
        assert root.post(address, sent).status_code < 500, chosen
    for pk in ("%00", "abc", "99999999999999999999999", "_00"):
        assert root.get(f"{address}{pk}/change/").status_code < 500, pk


def quote_once(value: str) -> str:
    return value if "%" in value else quote(value)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("odd", [*NUL, *ODD])
def test_every_page_survives_them(path: str, odd: str) -> None:
    client = Client(raise_request_exception=False)
    if path != "/signin":
        client.force_login(UserFactory())
    response = client.get(
        f"{path}?" + "&".join(f"{name}={quote_once(odd)}" for name in ("q", "page", "next", "by", "days"))
    )
    assert response.status_code < 500
    if "%00" in odd:
        assert response.status_code == 400
        assert "This address cannot be read" in response.content.decode()


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("odd", NUL)
def test_the_api_says_what_is_wrong(path: str, odd: str) -> None:
    caller = caller_of(UserFactory())
    for name in ("cursor", "status", "rowId", "from", "anything"):
        problem(caller("GET", f"{path}?{name}={odd}"), 400, "malformed")
    problem(Caller()("GET", f"/api/jobs/{odd}"), 400, "malformed")
