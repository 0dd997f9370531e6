"""A slash too many or too few on a page, and where forgiving ends."""

import pytest
from django.test import Client

from apps.core.paths import meant
from tests.factories import RowFactory, StaffFactory


@pytest.fixture
def browser_of_staff(db: None, client: Client) -> Client:
    client.force_login(StaffFactory(is_superuser=True))
    return client


@pytest.mark.parametrize(
    ("typed", "led_to"),
    [
        ("/admin", "/admin/"),
        ("/admin?a=1&b=%2F%2Fevil", "/admin/?a=1&b=%2F%2Fevil"),
        ("/admin/jobs/job", "/admin/jobs/job/"),
        ("/queue/", "/queue"),
        ("/queue//", "/queue"),
        ("/signin/?next=/queue", "/signin?next=/queue"),
        ("/api/docs/", "/api/docs"),
    ],
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_a_page_is_found_with_a_slash_too_many_or_too_few(
    browser_of_staff: Client, method: str, typed: str, led_to: str
) -> None:
    response = getattr(browser_of_staff, method)(typed)
    assert (response.status_code, response["Location"]) == (302, led_to)


def test_a_workspace_is_found_with_capitals_and_a_slash(browser_of_staff: Client) -> None:
    row = RowFactory(workspace__owner_id=browser_of_staff.session["_auth_user_id"])
    response = browser_of_staff.get(f"/workspaces/{str(row.workspace_id).upper()}/", follow=True)
    assert response.redirect_chain == [(f"/workspaces/{row.workspace_id}", 302)]
    assert response.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["//evil.example/admin", "//admin", "/admin/nothing", "/admin/nothing/", "/nothing", "/nothing/", "/api/jobs/"],
)
def test_what_is_nowhere_stays_nowhere(browser_of_staff: Client, path: str) -> None:
    assert browser_of_staff.get(f"http://testserver{path}").status_code == 404


def test_nothing_is_sent_to_another_host() -> None:
    for path in (
        "//evil.example",
        "//evil.example/",
        "/\\evil.example/",
        "///evil.example/queue/",
        "/%2Fevil.example/",
    ):
        assert meant(path) == ""


def test_what_is_posted_is_not_sent_elsewhere(browser_of_staff: Client) -> None:
    assert browser_of_staff.post("/queue/").status_code == 404


def test_a_probe_is_answered_with_a_slash_too(client: Client) -> None:
    assert client.get("/health/live/").json() == {"status": "ok"}
