"""The workspace page and its fragments."""

import uuid
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.jobs import lifecycle
from apps.jobs.models import JobEvent
from apps.jobs.services import retry_job
from apps.studio.models import Workspace
from tests.factories import (
    AssetFactory,
    CallFactory,
    GeneratedImageFactory,
    JobFactory,
    RowFactory,
    StaffFactory,
    WorkspaceFactory,
    finish,
)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def url(workspace: Workspace, *more: object) -> str:
    return "/".join(["/workspaces", str(workspace.pk), *map(str, more)])


def test_an_empty_workspace_says_how_to_begin(page: Client, workspace: Workspace) -> None:
    shown = text(page.get(url(workspace)))
    assert 'data-state="empty"' in shown
    assert "Drop a folder of pictures" in shown


def test_rows_stand_in_order_with_their_prompts(page: Client, workspace: Workspace) -> None:
    RowFactory(workspace=workspace, position=2, label="second.jpg", target_url="https://example.com/b.jpg")
    RowFactory(
        workspace=workspace,
        position=1,
        label="first.jpg",
        target_url="https://example.com/a.jpg",
        prompt_override="A <b>cat</b>",
    )
    shown = text(page.get(url(workspace)))
    assert shown.index("first.jpg") < shown.index("second.jpg")
    assert "A &lt;b&gt;cat&lt;/b&gt;" in shown
    assert "A <b>cat</b>" not in shown


def test_a_row_without_a_target_cannot_generate(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert "Choose a target picture first." in shown
    assert shown.count('aria-disabled="true"') == 4


def test_the_rows_of_others_do_not_exist(page: Client, stranger: User) -> None:
    theirs = RowFactory(workspace=WorkspaceFactory(owner=stranger))
    image = GeneratedImageFactory(row=theirs)
    job = JobFactory(row=theirs)
    for path in (
        url(theirs.workspace),
        url(theirs.workspace, "rows", "changes"),
        url(theirs.workspace, "rows", theirs.pk),
        url(theirs.workspace, "rows", theirs.pk, "images.zip"),
        url(theirs.workspace, "images.zip"),
        f"/images/{image.pk}",
        f"/jobs/{job.uid}",
    ):
        assert page.get(path).status_code == 404, path


def test_a_row_is_not_found_under_another_workspace(page: Client, workspace: Workspace, reader: User) -> None:
    row = RowFactory(workspace=WorkspaceFactory(owner=reader))
    assert page.get(url(workspace, "rows", row.pk)).status_code == 404


def test_staff_work_in_their_own_workspaces_and_look_at_anybodys_job(workspace: Workspace) -> None:
    client = Client()
    client.force_login(StaffFactory())
    assert client.get(url(workspace)).status_code == 404
    job = JobFactory(row=RowFactory(workspace=workspace))
    shown = text(client.get(f"/jobs/{job.uid}"))
    assert f"/admin/jobs/job/{job.pk}/change/" in shown
    assert "data-job-act" not in shown
    assert url(workspace) not in shown
    assert client.delete(f"/api/jobs/{job.uid}").status_code == 404


def test_the_owner_acts_on_the_jobs_page(page: Client, workspace: Workspace) -> None:
    job = JobFactory(row=RowFactory(workspace=workspace))
    shown = text(page.get(f"/jobs/{job.uid}"))
    assert "data-job-act" in shown
    assert "/admin/" not in shown


@pytest.mark.parametrize(
    "path", ["/", "/queue", "/queue/summary", "/account", f"/workspaces/{uuid.uuid4()}", f"/jobs/{uuid.uuid4()}"]
)
def test_nobody_signed_in_is_sent_to_the_sign_in_page(db: None, path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/signin?next=")


def test_a_queued_row_says_where_it_is_and_can_be_cancelled(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    prompt = JobFactory(kind="prompt", row=row)
    image = JobFactory(kind="image", row=row, waits_for=prompt)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert 'data-status="queued"' in shown
    assert "data-live-row" in shown
    assert "Images start when the prompt is there." in shown
    assert f'data-jobs="{image.uid} {prompt.uid}"' in shown


def test_a_running_row_shows_what_happens(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    JobFactory(row=row)
    lease = lifecycle.claim(lane="images", worker="tests")
    assert lease is not None
    lifecycle.set_stage(lease, "waiting_for_provider")
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert "WaveSpeed is rendering." in shown
    assert "<progress" in shown


def test_a_failed_row_says_what_happened_and_what_to_do(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    finish(JobFactory(row=row), error="image_not_readable")
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert "It went wrong. Try again." in shown
    assert "Replace the target" in shown
    assert 'data-s="failed"' in shown


def test_some_failed_offers_to_try_just_those(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    made, lost = JobFactory(row=row), JobFactory(row=row)
    finish(made)
    GeneratedImageFactory(row=row, job=made)
    finish(lost, error="result_lost")
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert "1 of 2" in shown
    assert "Try the 1 again" in shown
    assert f'data-act="retry" data-jobs="{lost.uid}"' in shown


def test_a_done_row_shows_pictures_time_and_cost(page: Client, workspace: Workspace, reader: User) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    job = finish(JobFactory(row=row))
    image = GeneratedImageFactory(row=row, job=job, favourite=True, rating=4)
    CallFactory(job_id=job.pk, owner=reader, cost_usd="0.04")
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert f"/media/images/{image.pk}/thumbnail" in shown
    assert 'aria-pressed="true"' in shown
    assert "$0.04" in shown
    assert "about $0.04" in shown


def test_a_picture_that_came_after_its_cancel_is_not_shown_as_a_result(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    late = GeneratedImageFactory(row=row, late=True)
    assert str(late.pk) not in text(page.get(url(workspace)))


def test_references_of_a_row_default_own_and_none(page: Client, workspace: Workspace, reader: User) -> None:
    asset = AssetFactory(owner=reader)
    workspace.default_ref_urls = [f"http://127.0.0.1:8000/media/assets/{asset.pk}"]
    workspace.save()
    for refs, note in ((None, "workspace default"), ([], "none for this row"), (workspace.default_ref_urls, "own")):
        row = RowFactory(workspace=workspace, ref_urls=refs)
        shown = text(page.get(url(workspace, "rows", row.pk)))
        assert f'<span class="file">{note}</span>' in shown
        assert (f"/media/assets/{asset.pk}/thumbnail" in shown) == (refs != [])


def test_filters_and_search(page: Client, workspace: Workspace) -> None:
    failed = RowFactory(workspace=workspace, label="broken.jpg", target_url="https://example.com/a.jpg")
    RowFactory(workspace=workspace, label="idle.jpg", target_url="https://example.com/b.jpg")
    finish(JobFactory(row=failed), error="no_credits")
    needs = text(page.get(url(workspace), {"state": "needs-you"}))
    assert "broken.jpg" in needs
    assert "idle.jpg" not in needs
    assert 'Needs you <span class="count">1</span>' in needs
    found = text(page.get(url(workspace), {"q": "IDLE"}))
    assert "idle.jpg" in found
    assert "broken.jpg" not in found
    assert "No row fits" in text(page.get(url(workspace), {"q": "nothing like it"}))


def test_strange_queries_are_ignored(page: Client, workspace: Workspace) -> None:
    for query in ({"page": "-1"}, {"page": "²"}, {"page": "9" * 40}, {"state": "'"}, {"q": "\0"}, {"since": "x"}):
        assert page.get(url(workspace), query).status_code == 200
    assert page.get(url(workspace, "rows", "changes"), {"since": "9" * 40}).status_code == 200


def test_many_rows_come_in_pages(page: Client, workspace: Workspace) -> None:
    for _ in range(53):
        RowFactory(workspace=workspace)
    first = text(page.get(url(workspace)))
    assert "Rows 1–50 of 53" in first
    assert "?page=2" in first
    second = text(page.get(url(workspace), {"page": "2"}))
    assert second.count("data-row=") == 3 * 2  # the row and its prompt field
    assert 'aria-label="Select row 53"' in second


def test_changes_hold_what_moved_and_what_works(page: Client, workspace: Workspace) -> None:
    still, live = RowFactory(workspace=workspace), RowFactory(workspace=workspace)
    mark = JobEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    JobFactory(row=live)
    shown = text(page.get(url(workspace, "rows", "changes"), {"since": mark}))
    assert f'id="row-{live.pk}"' in shown
    assert f'id="row-{still.pk}"' not in shown
    assert f'data-last="{JobEvent.objects.latest("id").pk}"' in shown
    assert 'Working <span class="count">1</span>' in shown


def busy_workspace(workspace: Workspace, rows: int) -> None:
    """Rows in every state, with prompts, images, costs and references."""
    for place in range(rows):
        row = RowFactory(
            workspace=workspace,
            target_url=f"https://example.com/{place}.jpg",
            ref_urls=[f"https://example.com/r{place}.jpg"],
        )
        if place % 3 == 0:
            JobFactory(row=row, waits_for=JobFactory(kind="prompt", row=row))
        if place % 3 == 1:
            GeneratedImageFactory(row=row)


def test_queries_do_not_grow_with_rows(page: Client, workspace: Workspace, django_assert_max_num_queries: Any) -> None:
    busy_workspace(workspace, 3)
    with django_assert_max_num_queries(60) as few:
        page.get(url(workspace))
    busy_workspace(workspace, 21)
    with django_assert_max_num_queries(len(few)):
        page.get(url(workspace))
    with django_assert_max_num_queries(len(few)):
        page.get(url(workspace, "rows", "changes"))


def test_the_images_of_a_row_come_as_one_zip(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, label="Cat in space.jpg")
    GeneratedImageFactory(row=row)
    response = page.get(url(workspace, "rows", row.pk, "images.zip"))
    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert data.startswith(b"PK")
    assert b"001-cat-in-space" in data
    assert page.get(url(workspace, "images.zip"), {"row": [str(uuid.uuid4())]}).status_code == 404


def test_a_job_that_was_tried_again_is_counted_once(page: Client, workspace: Workspace, reader: User) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    lost = finish(JobFactory(row=row), error="result_lost")
    again = retry_job(user=reader, uid=lost.uid)
    finish(again)
    GeneratedImageFactory(row=row, job=again)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert 'data-status="done"' in shown
    assert "Try the 1 again" not in shown
    assert 'Done <span class="count">1</span>' in text(page.get(url(workspace)))
