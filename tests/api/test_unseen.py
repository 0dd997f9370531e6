"""What cannot be seen is taken off names and prompts at every door: API, upload, page, administration."""

import pytest
from django.test import Client

from apps.accounts.models import ApiToken, User
from apps.studio.models import Workspace
from tests.api.conftest import Caller, problem
from tests.factories import StaffFactory, WorkspaceFactory, picture_file

pytestmark = pytest.mark.django_db
ODD, TIDY = "\x1b[31mShoes\u202e\u200b 👩\u200d🚀\ufeff", "[31mShoes 👩\u200d🚀"


def test_in_workspaces_and_rows(call: Caller) -> None:
    made = call("POST", "/api/workspaces", {"name": ODD, "defaultPrompt": f"{ODD}\nline"}).json()
    assert (made["name"], made["defaultPrompt"]) == (TIDY, f"{TIDY}\nline")
    row = call("POST", f"/api/workspaces/{made['id']}/rows", {"label": f"{ODD}\nx", "promptOverride": ODD}).json()
    assert (row["label"], row["promptOverride"]) == (f"{TIDY} x", TIDY)
    changed = call("PATCH", f"/api/rows/{row['id']}", {"promptOverride": "Another", "promptWas": ODD})
    assert changed.status_code == 200, "what was typed over is tidied as it was when it was saved"


def test_a_name_of_nothing_that_can_be_seen_is_none(call: Caller) -> None:
    problem(call("POST", "/api/workspaces", {"name": "\u200b\u202e"}), 422, "invalid")


@pytest.mark.parametrize("unstorable", ["a\x00b", "a\ud83db"])
def test_what_no_database_holds_is_refused(call: Caller, unstorable: str) -> None:
    assert call("POST", "/api/workspaces", {"name": unstorable}).status_code in (400, 422)
    assert not Workspace.objects.exists()


def test_in_the_name_of_an_upload(call: Caller) -> None:
    made = call.upload("/api/assets", file=picture_file("invoice\u202egpj.png"))
    assert made.status_code == 201
    assert "\u202e" not in call("GET", f"/api/assets/{made.json()['assetId']}").content.decode()


def test_in_the_name_of_a_token(owner: User) -> None:
    page = Client()
    page.force_login(owner)
    page.post("/account", {"name": ODD, "scopes": ["read"], "days": "30"})
    assert ApiToken.objects.get().name == TIDY
    assert page.post("/account", {"name": "\u200b", "scopes": ["read"], "days": "30"}).status_code == 422


def test_in_the_administration() -> None:
    root, workspace = Client(), WorkspaceFactory()
    root.force_login(StaffFactory(is_superuser=True))
    address = f"/admin/studio/workspace/{workspace.pk}/change/"
    form = root.get(address).context["adminform"].form
    sent = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not False}
    response = root.post(address, sent | {"name": ODD, "default_prompt": f"{ODD}\nline", "default_ref_urls": "[]"})
    assert response.status_code == 302, response.context["adminform"].form.errors
    workspace.refresh_from_db()
    assert workspace.name == TIDY
    assert workspace.default_prompt.splitlines() == [TIDY, "line"]
