"""What every page has: policy, sign-in, account, queue, jobs, plain answers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiToken, User, find_token
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job
from apps.pages.jobs import queue
from apps.studio.models import Workspace
from tests.factories import (
    PASSWORD,
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    UserFactory,
    finish,
    token_for,
)


def every_page(workspace: Workspace) -> list[str]:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    job = JobFactory(row=row)
    image = GeneratedImageFactory(row=row)
    return [
        "/",
        f"/workspaces/{workspace.pk}",
        f"/jobs/{job.uid}",
        f"/images/{image.pk}",
        "/account",
        "/queue",
        "/queue/summary",
    ]


def test_pages_keep_the_strict_policy(page: Client, workspace: Workspace) -> None:
    for path in [*every_page(workspace), "/no-such-page"]:
        response = page.get(path)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "script-src 'self'" in policy
        shown = response.content.decode()
        assert "style=" not in shown, path
        assert "<style" not in shown, path
        assert " onclick=" not in shown, path
        assert "<script>" not in shown, path


def test_what_is_refused_on_the_way_to_a_page_has_the_policy_too(page: Client) -> None:
    refused = page.get("/", {"q": "\0"})
    assert refused.status_code == 400
    assert "script-src 'self'" in refused["Content-Security-Policy"]


def test_pages_of_a_reader_are_not_kept_by_caches(page: Client, workspace: Workspace) -> None:
    for path in every_page(workspace):
        assert "no-store" in page.get(path)["Cache-Control"], path


@pytest.mark.parametrize("simulated", [["xai", "wavespeed"], []])
def test_simulation_is_said_on_every_page_and_only_then(
    page: Client, settings: LazySettings, simulated: list[str]
) -> None:
    settings.SIMULATED = simulated
    for path in ("/", "/account", "/no-such-page"):
        assert ("Simulated providers" in page.get(path).content.decode()) == bool(simulated)


def test_the_sign_in_page_says_it_too(db: None, settings: LazySettings) -> None:
    settings.SIMULATED = ["xai"]
    assert "Simulated providers" in Client().get("/signin").content.decode()


def test_no_link_leads_to_a_page_that_does_not_exist(page: Client, workspace: Workspace) -> None:
    shown = page.get("/").content.decode()
    assert "Visibility" not in shown


def test_what_is_not_there_is_said_in_the_look(page: Client) -> None:
    response = page.get("/no-such-page")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


# --- sign in ---------------------------------------------------------------------------------------
def test_signing_in_leads_to_the_workspaces(reader: User) -> None:
    response = Client().post("/signin", {"username": reader.username, "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == "/"


def test_signing_in_goes_on_to_where_one_wanted_but_never_elsewhere(reader: User) -> None:
    wanted = {"username": reader.username, "password": PASSWORD}
    assert Client().post("/signin", {**wanted, "next": "/account"})["Location"] == "/account"
    assert Client().post("/signin", {**wanted, "next": "https://evil.example/"})["Location"] == "/"


def test_a_wrong_password_is_said_and_the_name_kept(reader: User) -> None:
    shown = Client().post("/signin", {"username": reader.username, "password": "wrong"}).content.decode()
    assert "That name and password do not match." in shown
    assert f'value="{reader.username}"' in shown


def test_signing_in_needs_the_csrf_token(reader: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/signin", {"username": reader.username, "password": PASSWORD}).status_code == 403


def test_signing_out_takes_a_post(page: Client) -> None:
    assert page.get("/signout").status_code == 405
    assert page.post("/signout")["Location"] == "/signin"
    assert page.get("/").status_code == 302


def test_the_demo_password_is_shown_only_where_the_environment_names_it(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory(username="demo")
    assert "demo-press" not in Client().get("/signin").content.decode()
    monkeypatch.setenv("PRESSROOM_DEMO_PASSWORD", "demo-press")
    assert "demo-press" in Client().get("/signin").content.decode()
    User.objects.filter(username="demo").update(is_active=False)
    assert "demo-press" not in Client().get("/signin").content.decode()


# --- account ---------------------------------------------------------------------------------------
def test_a_token_is_made_shown_once_and_works(page: Client, reader: User) -> None:
    made = page.post("/account", {"name": "Nightly", "scopes": ["read"], "days": "30"})
    token = ApiToken.objects.get(user=reader)
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert find_token(secret) == token
    assert token.scopes == ["read"]
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert secret not in page.get("/account").content.decode()


def test_the_scope_urgent_is_granted_by_staff_only(page: Client, reader: User) -> None:
    asked = {"name": "Rush", "scopes": ["read", "urgent"], "days": "30"}
    assert page.post("/account", asked).status_code == 422
    assert "Use priority 10" not in page.get("/account").content.decode()
    assert not ApiToken.objects.exists()
    User.objects.filter(pk=reader.pk).update(is_staff=True)
    assert page.post("/account", asked).status_code == 200
    assert ApiToken.objects.get().scopes == ["read", "urgent"]


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": ["root"]}, {"scopes": []}, {"days": "1000000"}, {"name": "x" * 81}]
)
def test_a_token_that_makes_no_sense_is_not_made(page: Client, wrong: dict[str, Any]) -> None:
    response = page.post("/account", {"name": "Nightly", "scopes": ["read"], "days": "30"} | wrong)
    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_refused(page: Client, reader: User) -> None:
    token, secret = token_for(reader)
    page.post(f"/account/tokens/{token.pk}/revoke")
    assert find_token(secret) is None
    assert "Revoked" in page.get("/account").content.decode()


def test_the_token_of_another_cannot_be_revoked(page: Client, stranger: User) -> None:
    token, secret = token_for(stranger)
    assert page.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert find_token(secret) is not None


# --- queue and jobs --------------------------------------------------------------------------------
def test_the_queue_holds_ones_own_jobs_only(page: Client, workspace: Workspace, stranger: User) -> None:
    mine = JobFactory(row=RowFactory(workspace=workspace, label="mine.jpg"))
    theirs = JobFactory(row=RowFactory(workspace__owner=stranger, label="theirs.jpg"))
    shown = page.get("/queue").content.decode()
    assert str(mine.uid) in shown
    assert "mine.jpg" in shown
    assert str(theirs.uid) not in shown
    assert "0 running · 1 waiting" in page.get("/queue/summary").content.decode()


def test_the_queue_of_many_takes_no_more_queries(
    page: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    JobFactory(row=RowFactory(workspace=workspace))
    lanes.forget_limits()  # remembered for a second, so now and then they would cost nothing
    with django_assert_max_num_queries(40) as few:
        page.get("/queue")
    for _ in range(8):
        JobFactory(row=RowFactory(workspace=workspace))
    lanes.forget_limits()
    with django_assert_max_num_queries(len(few)):
        page.get("/queue")


def test_a_job_page_tells_calls_cost_and_story(page: Client, workspace: Workspace, reader: User) -> None:
    job = finish(JobFactory(row=RowFactory(workspace=workspace)))
    CallFactory(job_id=job.pk, owner=reader, cost_usd="0.04", provider_id="p_8f31c07e")
    shown = page.get(f"/jobs/{job.uid}").content.decode()
    assert "The image was made on the first try" in shown
    assert "1 call to providers, $0.04 in all." in shown
    assert "p_8f31c07e" in shown
    assert "Try 1 started" in shown
    assert "Finished" in shown


def test_a_failed_job_offers_another_try(page: Client, workspace: Workspace) -> None:
    job = finish(JobFactory(row=RowFactory(workspace=workspace)), error="no_credits")
    shown = page.get(f"/jobs/{job.uid}").content.decode()
    assert "It went wrong. Try again." in shown
    assert 'data-job-act="retry"' in shown
    assert 'data-job-act="cancel"' not in shown


def test_a_prompt_job_has_a_page_too(page: Client, workspace: Workspace) -> None:
    job = JobFactory(kind="prompt", row=RowFactory(workspace=workspace))
    shown = page.get(f"/jobs/{job.uid}").content.decode()
    assert "Prompt for row 1" in shown
    assert 'data-job-act="cancel"' in shown


def test_the_panel_of_an_image_tells_how_it_was_made(page: Client, workspace: Workspace) -> None:
    job = finish(JobFactory(row=RowFactory(workspace=workspace)))
    image = GeneratedImageFactory(row=RowFactory(workspace=workspace), job=job, prompt="A shoe on warm sand")
    CallFactory(job_id=job.pk, cost_usd="0.04")
    shown = page.get(f"/images/{image.pk}").content.decode()
    assert "A shoe on warm sand" in shown
    assert "$0.04" in shown
    assert f"/jobs/{job.uid}" in shown


def test_workspaces_of_others_are_not_listed(page: Client, workspace: Workspace, stranger: User) -> None:
    RowFactory(workspace__owner=stranger, workspace__name="Secret plans")
    shown = page.get("/").content.decode()
    assert "Autumn posters" in shown
    assert "Secret plans" not in shown


def test_the_queue_in_the_masthead_says_what_is_paused(page: Client) -> None:
    assert "paused" not in page.get("/queue/summary").content.decode()
    lanes.pause("images", by="Jo")
    assert "images paused" in page.get("/queue/summary").content.decode()
    lanes.pause("prompts", by="Jo")
    assert "images and prompts paused" in page.get("/").content.decode()


def test_the_icon_is_where_browsers_look_for_it() -> None:
    response = Client().get("/favicon.ico")
    assert response.status_code == 302
    assert "favicon" in response["Location"]
    assert response["Location"].endswith(".svg")


def moves(shown: str) -> dict[str, list[tuple[str, str]]]:
    """Each row that can be moved, by its jobs, and where it can go."""
    items = re.findall(r'<li class="job"[^>]*?data-movable="([0-9a-f -]+)">(.*?)</li>', shown, re.DOTALL)
    return {uids: re.findall(r'data-move="(\w+)" data-other="([0-9a-f-]{36})"', rest) for uids, rest in items}


def test_in_the_queue_each_row_moves_with_its_jobs_but_not_beyond_its_lines_ends(
    page: Client, workspace: Workspace
) -> None:
    rows = [RowFactory(workspace=workspace, target_url="https://example.com/a.jpg") for _ in range(3)]
    of_row = [[str(JobFactory(row=row).uid) for _ in range(2)] for row in rows]
    urgent = RowFactory(workspace=workspace)
    JobFactory(row=urgent, priority=9)
    first, second, third = (" ".join(jobs) for jobs in of_row)
    # A row goes before the first job of the one above it, and after the last job of the one below.
    assert moves(page.get("/queue").content.decode()) == {
        first: [("after", of_row[1][1])],
        second: [("before", of_row[0][0]), ("after", of_row[2][1])],
        third: [("before", of_row[1][0])],
    }


def test_the_queue_is_a_page_by_row(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, label="shoe.jpg", target_url="https://example.com/a.jpg")
    prompt = JobFactory(kind="prompt", row=row)
    for _ in range(4):
        JobFactory(row=row, waits_for=prompt)
    shown = page.get("/queue").content.decode()
    assert "<title>My queue" in shown
    assert shown.count('<li class="job"') == 1
    assert "Row 1 · shoe.jpg" in shown
    assert "Autumn posters · prompt, 4 images" in shown
    fragment = page.get("/queue/list").content.decode()
    assert "<title>" not in fragment
    assert "Row 1 · shoe.jpg" in fragment


def test_the_queue_names_who_must_act(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    JobFactory(row=row)
    lanes.pause("images", by="Jo")
    shown = page.get("/queue").content.decode()
    assert "Needs somebody" in shown
    assert "Whoever runs this desk" in shown
    assert "Images were paused by Jo" in shown
    lifecycle.request_cancel(list(Job.objects.values_list("pk", flat=True)))
    waits = JobFactory(row=row, waits_for=JobFactory(kind="prompt", row=row))
    Job.objects.filter(pk=waits.pk).update(reason="needs_prompt", queued_at=None, waits_for=None)
    Job.objects.filter(kind="prompt").update(status="cancelled", finished_at=timezone.now())
    shown = page.get("/queue").content.decode()
    assert '<span class="word">You</span>' in shown


def test_what_starts_first_is_in_the_queue_however_much_was_asked_before(
    page: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST", 3)
    for number in range(5):
        JobFactory(row=RowFactory(workspace=workspace, label=f"old {number}"))
    urgent = RowFactory(workspace=workspace, label="urgent")
    JobFactory(row=urgent, priority=9)
    shown = page.get("/queue").content.decode()
    names = re.findall(r"Row \d+ · ([a-z]+ ?\d?)</a>", shown)
    assert names == ["urgent", "old 0", "old 1"]
    assert "The first 3 of 6 rows are shown." in shown
