"""The workspace page and its fragments."""

import io
import re
import uuid
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.assets.library import digest_of
from apps.assets.models import Asset
from apps.assets.urls import asset_url
from apps.core.errors import Remedy
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Job, JobEvent
from apps.jobs.services import retry_job
from apps.providers.wavespeed import prices
from apps.studio.image_inputs import inputs_for
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.rows import update_row
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


NOBODYS = "00000000-0000-4000-8000-000000000000"  # the same in every process that collects these tests


@pytest.mark.parametrize(
    "path", ["/", "/queue", "/queue/summary", "/account", f"/workspaces/{NOBODYS}", f"/jobs/{NOBODYS}"]
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
    finish(JobFactory(row=row), error="image_not_readable", remedy=Remedy.NEW_TARGET)
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
    for query in ({"page": "-1"}, {"page": "²"}, {"page": "9" * 40}, {"state": "'"}, {"since": "x"}):
        assert page.get(url(workspace), query).status_code == 200
    assert page.get(url(workspace), {"q": "\0"}).status_code == 400
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
    def asked(path: str, *, most: int) -> int:
        lanes.forget_limits()  # remembered for a second, so now and then they would cost nothing
        with django_assert_max_num_queries(most) as queries:
            assert page.get(path).status_code == 200
        return len(queries)

    busy_workspace(workspace, 3)
    few = asked(url(workspace), most=60)
    busy_workspace(workspace, 21)
    asked(url(workspace), most=few)
    asked(url(workspace, "rows", "changes"), most=few)


def zipped(response: HttpResponse) -> zipfile.ZipFile:
    assert isinstance(response, StreamingHttpResponse)
    data = b"".join(response.streaming_content)  # type: ignore[arg-type]
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def test_the_images_of_a_workspace_are_numbered_as_its_rows_and_named_in_any_script(
    page: Client, workspace: Workspace
) -> None:
    labels = ["Cat in space.jpg", "靴 赤", "version 1.2", "без фото", "كتاب", 'a/b\\c:"d"', ""]
    rows = [RowFactory(workspace=workspace, label=label, position=place) for place, label in enumerate(labels)]
    for row in reversed(rows):
        if row.label != "без фото":
            GeneratedImageFactory(row=row)
    GeneratedImageFactory(row=rows[0])
    names = zipped(page.get(url(workspace, "images.zip"))).namelist()
    assert names == [
        "001-Cat in space-1.jpg",
        "001-Cat in space-2.jpg",
        "002-靴 赤.jpg",
        "003-version 1.2.jpg",
        "005-كتاب.jpg",
        "006-a-b-c-d.jpg",
        "007-image.jpg",
    ]
    alone = page.get(url(workspace, "rows", rows[1].pk, "images.zip"))
    assert zipped(alone).namelist() == ["002-靴 赤.jpg"]
    assert "filename*=utf-8''%E9%9D%B4%20%E8%B5%A4.zip" in alone["Content-Disposition"]
    some = page.get(url(workspace, "images.zip"), {"row": [str(rows[2].pk), str(rows[4].pk)]})
    assert zipped(some).namelist() == ["003-version 1.2.jpg", "005-كتاب.jpg"]
    assert page.get(url(workspace, "images.zip"), {"row": [str(uuid.uuid4())]}).status_code == 404


def test_none_of_many_images_is_left_out(page: Client, workspace: Workspace) -> None:
    first = GeneratedImageFactory(row=RowFactory(workspace=workspace, label="shoe"))
    made = {"row": first.row, "owner": first.owner, "file": first.file, "thumbnail": first.thumbnail}
    sizes = {"width": first.width, "height": first.height, "bytes": first.bytes}
    GeneratedImage.objects.bulk_create(GeneratedImage(**made, **sizes, index=index) for index in range(1, 601))
    assert len(zipped(page.get(url(workspace, "images.zip"))).namelist()) == 601


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


# --- more than one run ----------------------------------------------------------------------------
def two_runs(workspace: Workspace) -> tuple[Row, list[Job]]:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    first = JobFactory(row=row)
    row.generation = uuid.uuid4()
    row.save()
    return row, [first, JobFactory(row=row)]


def test_two_runs_of_a_row_are_said_and_stopped_together(page: Client, workspace: Workspace) -> None:
    row, (first, second) = two_runs(workspace)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert f'data-jobs="{first.uid} {second.uid}"' in shown
    assert "2 runs of this row are not over. Cancel stops both." in shown
    assert "Cancel 2 runs" in shown


def test_the_filters_count_a_row_whose_older_run_is_not_over_as_working(page: Client, workspace: Workspace) -> None:
    row, (first, second) = two_runs(workspace)
    lifecycle.change_priority(second.pk, 9)
    finish(second)
    assert 'Working <span class="count">1</span>' in text(page.get(url(workspace)))
    assert 'data-status="queued"' in text(page.get(url(workspace, "rows", row.pk)))
    finish(first)
    assert 'Done <span class="count">1</span>' in text(page.get(url(workspace)))


def test_an_unfinished_older_prompt_counts_as_working(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace)
    prompt = JobFactory(kind="prompt", row=row)
    newest = JobFactory(kind="prompt", row=row)
    lifecycle.change_priority(newest.pk, 9)
    finish(newest)
    assert 'Working <span class="count">1</span>' in text(page.get(url(workspace)))
    finish(prompt)
    assert 'Working <span class="count">0</span>' in text(page.get(url(workspace)))


def run_key(page: Client, row: Row) -> str:
    found = re.search(r'data-run-key="(\w{32})"', text(page.get(url(row.workspace, "rows", row.pk))))
    assert found
    return found[1]


def test_the_run_key_is_one_for_one_state_and_another_for_the_next(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    keys = [run_key(page, row)]
    assert run_key(page, row) == keys[0]
    for change in (
        {"generation": uuid.uuid4()},
        {"prompt_override": "A cat"},
        {"target_url": "https://example.com/b.jpg"},
        {"match_target_ratio": True},
        {"ref_urls": ["https://example.com/r.jpg"]},
    ):
        Row.objects.filter(pk=row.pk).update(**change)
        keys.append(run_key(page, row))
    workspace.images_per_generate = 3
    workspace.save()
    keys.append(run_key(page, row))
    JobFactory(kind="prompt", row=row)
    keys.append(run_key(page, row))
    assert len(set(keys)) == 8


def test_typing_the_prompt_that_images_wait_for_makes_another_key(page: Client, workspace: Workspace) -> None:
    """Its Generate makes no new generation, so the next one's key must differ by itself."""
    row, job = needs_prompt(workspace)
    before = run_key(page, row)
    lifecycle.release([job.pk], reason="prompt_typed")
    assert run_key(page, row) != before


def needs_prompt(workspace: Workspace) -> tuple[Row, Job]:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    prompt = JobFactory(kind="prompt", row=row)
    job = JobFactory(row=row, waits_for=prompt)
    finish(prompt)
    Job.objects.filter(pk=job.pk).update(status="waiting", reason="needs_prompt", queued_at=None)
    return row, job


# --- the next step --------------------------------------------------------------------------------
def filled(page: Client, row: Row) -> list[str]:
    shown = text(page.get(url(row.workspace, "rows", row.pk)))
    return re.findall(r'<button class="btn btn-primary" type="button"\s+data-act="(\w+)"', shown)


def test_the_filled_button_is_the_next_step(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    assert filled(page, row) == ["ai"]
    Row.objects.filter(pk=row.pk).update(prompt_override="Written by the wand")
    assert filled(page, row) == ["own"]
    waiting, _ = needs_prompt(workspace)
    assert filled(page, waiting) == ["own"]


def failed_row(
    workspace: Workspace, code: str, message: str, action: str, remedy: Remedy, *, prompt: str = "A red shoe"
) -> tuple[Row, Job]:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    job = JobFactory(row=row)
    ImageJob.objects.filter(job=job).update(prompt=prompt)
    lease = lifecycle.claim(lane="images", worker="tests")
    assert lease is not None
    assert lifecycle.fail(lease, lifecycle.Failure(code, message, action, remedy))
    return row, job


LOST = ("result_lost", "WaveSpeed lost the result before we could fetch it.", "Try it again.", Remedy.RETRY)
DECLINED = ("content_refused", "WaveSpeed declined this content.", "Change the prompt or the pictures.")


def test_what_to_do_comes_with_its_button(page: Client, workspace: Workspace) -> None:
    row, job = failed_row(workspace, *LOST)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert re.search(rf'data-act="retry"\s+data-jobs="{job.uid}"', shown)
    assert filled(page, row) == ["retry"]
    assert "Nothing was charged." in shown
    refused, _ = failed_row(
        workspace, "prompt_missing", "There is no prompt.", "Type one and press Generate.", Remedy.NEW_PROMPT, prompt=""
    )
    assert filled(page, refused) == ["own"]


@pytest.mark.parametrize(
    ("remedy", "button"),
    [
        (Remedy.RETRY, ["retry"]),
        (Remedy.NEW_TARGET, ["target"]),
        (Remedy.NEW_PROMPT, ["ai"]),
        (Remedy.NONE, ["ai"]),
        (Remedy.SETTLE, ["retry"]),
    ],
)
def test_the_remedy_chooses_the_button_whatever_the_words(
    page: Client, workspace: Workspace, remedy: Remedy, button: list[str]
) -> None:
    for words in ("Try it again.", "Type one and press Generate.", "Choisissez une autre image."):
        row, job = failed_row(workspace, "some_code", "It did not work.", words, remedy)
        assert filled(page, row) == button
        api = page.get(f"/api/jobs/{job.uid}").json()
        assert api["error"]["remedy"] == remedy


def test_declined_words_are_not_offered_again(page: Client, workspace: Workspace) -> None:
    """The same prompt would be declined again; other words, or those of a model, would not."""
    row, job = failed_row(workspace, *DECLINED, Remedy.NEW_PROMPT, prompt="A red shoe")
    Row.objects.filter(pk=row.pk).update(prompt_override="A red shoe")
    assert filled(page, row) == ["words"]
    assert 'btn-primary" type="button" data-job-act="retry"' not in text(page.get(f"/jobs/{job.uid}"))
    Row.objects.filter(pk=row.pk).update(prompt_override="A blue shoe")
    assert filled(page, row) == ["own"]
    Row.objects.filter(pk=row.pk).update(prompt_override="")
    assert filled(page, row) == ["ai"]


@pytest.mark.parametrize(
    ("code", "button"),
    [
        ("result_lost", ["retry"]),
        ("image_animated", ["target"]),
        ("content_refused", ["ai"]),
        ("outcome_unknown", ["retry"]),
    ],
)
def test_failures_from_before_have_the_remedy_of_their_code(
    page: Client, workspace: Workspace, code: str, button: list[str]
) -> None:
    row, job = failed_row(workspace, code, "It did not work.", "", Remedy.NONE)
    Job.objects.filter(pk=job.pk).update(error_remedy="")
    assert filled(page, row) == button


def test_a_failed_row_says_what_was_charged_or_that_it_is_not_known(
    page: Client, workspace: Workspace, reader: User
) -> None:
    row, job = failed_row(workspace, *LOST)
    call = CallFactory(job_id=job.pk, owner=reader, cost_usd="0.04", state="failed")
    assert "$0.04 was charged." in text(page.get(url(workspace, "rows", row.pk)))
    call.cost_usd, call.state = None, "unknown"
    call.save()
    assert "What it cost is not known yet." in text(page.get(url(workspace, "rows", row.pk)))


def test_a_failed_prompt_is_asked_for_again_not_the_images_that_waited(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    prompt = JobFactory(kind="prompt", row=row)
    JobFactory(row=row, waits_for=prompt)
    lease = lifecycle.claim(lane="prompts", worker="tests")
    assert lease is not None
    assert lifecycle.fail(lease, lifecycle.Failure("prompt_rejected", "Not usable.", "Try it again.", Remedy.RETRY))
    Job.objects.filter(waits_for=prompt).update(
        status="failed", error_code="dependency_failed", finished_at=timezone.now(), reason="", stage=""
    )
    assert filled(page, row) == ["ai"]


# --- a worker that is not heard of ------------------------------------------------------------------
def test_a_silent_worker_is_said_and_when_another_takes_over(
    page: Client, workspace: Workspace, settings: LazySettings
) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    job = JobFactory(row=row)
    assert lifecycle.claim(lane="images", worker="tests") is not None
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert "silent" not in shown
    missed = settings.LEASE_SECONDS - 2 * settings.HEARTBEAT_SECONDS - 1
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() + timedelta(seconds=missed))
    assert "Its worker is silent. Taken over at <time" in text(page.get(url(workspace, "rows", row.pk)))
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert "another one takes over now" in text(page.get(url(workspace, "rows", row.pk)))


# --- prices ---------------------------------------------------------------------------------------
def test_a_price_that_nobody_quoted_is_asked_for_by_the_page(page: Client, workspace: Workspace) -> None:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    assert 'data-unquoted="1">1 image' in text(page.get(url(workspace, "rows", row.pk)))
    model, size = django_settings.IMAGE_MODEL, (workspace.output_width, workspace.output_height)
    inputs = inputs_for(model, prompt="-", urls=["https://example.com/x"], size=size, seed=0)
    prices.keep(prices.key_of(django_settings.PROVIDER_BASES["wavespeed"], model, inputs), Decimal("0.03"))
    try:
        shown = text(page.get(url(workspace, "rows", row.pk)))
    finally:
        prices._prices.clear()
    assert "1 image · $0.03" in shown
    assert "data-unquoted" not in shown


# --- the prompt, and the pictures from before -------------------------------------------------------
def done_row(workspace: Workspace, *, images: int = 4, **fields: Any) -> Row:
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg", **fields)
    for _ in range(images):
        job = JobFactory(row=row)
        finish(job)
        GeneratedImageFactory(row=row, job=job, prompt="A shoe on warm sand")
    return row


def shown_row(page: Client, row: Row) -> str:
    return text(page.get(url(row.workspace, "rows", row.pk)))


def test_what_was_written_is_text_in_the_field_with_its_source(page: Client, workspace: Workspace) -> None:
    long = "A shoe on warm sand, " * 20
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg", prompt_override="My own.")
    written = {"written_source": "model", "written_by": "grok-4.7", "written_with": "house@3"}
    Row.objects.filter(pk=row.pk).update(written_prompt=long, prompt_before="My own.", **written)
    shown = shown_row(page, row)
    assert f"{long}</textarea>" in shown
    assert "Written by Grok 4.7 · House v3" in shown
    assert 'data-text="My own."' in shown
    enhance = shown[shown.index('data-act="enhance"') :]
    assert "aria-disabled" not in enhance[: enhance.index(">")]
    assert long.strip().casefold()[:60] in text(page.get(url(workspace) + "?q=warm+sand")).casefold()


def test_a_text_that_the_pictures_were_not_made_from_says_so(page: Client, workspace: Workspace) -> None:
    row = done_row(workspace, prompt_override="A shoe on warm sand")
    assert "of another text" not in shown_row(page, row)
    Row.objects.filter(pk=row.pk).update(prompt_override="A boot in snow")
    assert "Typed by you · the pictures are of another text" in shown_row(page, row)


def failed_prompt(row: Row, *, operation: str) -> Job:
    job = JobFactory(kind="prompt", row=row)
    PromptJob.objects.filter(job=job).update(operation=operation)
    lease = lifecycle.claim(lane="prompts", worker="tests")
    assert lease is not None
    words = ("prompt_refused", "Grok declined to write a prompt for this row.", "Type a prompt and press Generate.")
    assert lifecycle.fail(lease, lifecycle.Failure(*words))
    return job


@pytest.mark.parametrize(
    ("operation", "said"),
    [("enhance", "The prompt was not enhanced."), ("generate", "No new prompt was written.")],
)
def test_a_prompt_that_failed_on_a_row_with_pictures_says_so_until_it_is_put_away(
    page: Client, workspace: Workspace, reader: User, operation: str, said: str
) -> None:
    row = done_row(workspace, prompt_override="A shoe on warm sand")
    job = failed_prompt(row, operation=operation)
    CallFactory(job_id=job.pk, owner=reader, provider="xai", purpose="chat", cost_usd="0.0025")
    words = f"{said} Grok declined to write a prompt for this row. The text is as it was. $0.0025 was charged."
    shown = shown_row(page, row)
    assert words in shown
    assert f'data-act="retry" data-jobs="{job.uid}"' in shown
    assert f"Row 1: {words} Done." in shown
    assert "4 images in" in shown
    update_row(user=reader, row_id=row.pk, fields={"trouble_read": job.uid})
    assert said not in shown_row(page, row)
    failed_prompt(row, operation=operation)
    assert said in shown_row(page, row), "another failure is another thing to know"
    JobFactory(row=row)
    assert said not in shown_row(page, row), "pictures were asked for since"


def test_finished_pictures_stay_while_new_ones_come(page: Client, workspace: Workspace) -> None:
    row = done_row(workspace)
    before = list(row.images.values_list("pk", flat=True))
    row.generation = uuid.uuid4()
    row.save(update_fields=["generation"])
    jobs = [JobFactory(row=row) for _ in range(2)]
    shown = shown_row(page, row)
    assert shown.count("This image is not made yet") == 2, "none has begun"
    for image in before:
        assert f'<li class="thumb" id="thumb-{image}">' in shown, "in sight"
    finish(jobs[0])
    fresh = GeneratedImageFactory(row=row, job=jobs[0])
    shown = shown_row(page, row)
    assert shown.index(f"thumb-{fresh.pk}") < shown.index("Before") < shown.index(f"thumb-{before[0]}")
    lifecycle.request_cancel([jobs[1].pk])
    for image in before:
        assert f'<li class="thumb" id="thumb-{image}">' in shown_row(page, row)


def test_a_cancel_is_said_on_a_row_that_has_pictures(page: Client, workspace: Workspace) -> None:
    row = done_row(workspace)
    row.generation = uuid.uuid4()
    row.save(update_fields=["generation"])
    lifecycle.request_cancel([JobFactory(row=row).pk])
    shown = shown_row(page, row)
    assert "Cancelled" in shown
    assert "Stopped before it started. Nothing was charged." in shown
    assert "4 images from before" in shown


def test_the_price_beside_try_again_is_that_of_what_it_buys(page: Client, workspace: Workspace) -> None:
    workspace.images_per_generate = 3
    workspace.save()
    row = RowFactory(workspace=workspace, target_url="https://example.com/a.jpg")
    jobs = [JobFactory(row=row) for _ in range(3)]
    for job, error in zip(jobs, ("", "", "result_lost"), strict=True):
        finish(job, error=error)
    shown = shown_row(page, row)
    assert "Try the 1 again" in shown
    assert re.search(r'class="quote"[^>]*>1 image · (about )?\$0\.\d+; all again 3 images · (about )?\$0\.\d+<', shown)


def test_a_row_says_since_when_its_remote_pictures_are_as_they_are(
    page: Client, workspace: Workspace, reader: User
) -> None:
    address = "https://pictures.example/my shoe.jpg?signature=abc"
    row = RowFactory(workspace=workspace, target_url=address, ref_urls=[asset_url(AssetFactory(owner=reader))])
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert 'data-remote="[&quot;https://pictures.example/my shoe.jpg?signature=abc&quot;]" data-fetched=""' in shown
    at = timezone.now()
    fetched = AssetFactory(owner=reader)
    Asset.objects.filter(pk=fetched.pk).update(source_digest=digest_of(address), fetched_at=at)
    shown = text(page.get(url(workspace, "rows", row.pk)))
    assert f'data-fetched="{at.isoformat()}"' in shown
    assert f"/media/assets/{fetched.pk}/thumbnail" in shown
    own = RowFactory(workspace=workspace)
    assert "data-remote" not in text(page.get(url(workspace, "rows", own.pk)))


def test_room_that_is_nearly_used_up_is_told_on_the_first_page(page: Client, reader: User) -> None:
    GeneratedImageFactory(row=RowFactory(workspace__owner=reader), bytes=900_000)
    assert "Your pictures take" not in text(page.get("/"))
    User.objects.filter(pk=reader.pk).update(picture_quota_mb=1)
    assert "of 1 MB. Delete rows or workspaces you no longer need" in text(page.get("/"))
    assert "of 1 MB</dd>" in text(page.get("/account"))
