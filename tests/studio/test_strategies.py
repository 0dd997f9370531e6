"""Strategies: versions that never change, traffic shared between two, and what they came to."""

import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.errors import Problem
from apps.jobs.models import Job
from apps.jobs.retention import prune
from apps.studio import intervals
from apps.studio.comparison import compare, verdict
from apps.studio.models import PromptJob, Row, Strategy, Workspace
from apps.studio.prompting.strategies import (
    BUILT_IN,
    RULES,
    ensure_strategies,
    find_strategy,
    new_version,
    pick,
    strategy_of,
)
from apps.studio.services import generate_images, queue_prompt
from apps.studio.workspaces import update_workspace
from tests.factories import CallFactory, GeneratedImageFactory, JobFactory, RowFactory, StaffFactory

pytestmark = pytest.mark.django_db
TEXT = "You write prompts for packshots. Describe the product alone, on white, lit from the left."


def test_the_built_in_ones_are_there_once_and_never_ask_for_a_face() -> None:
    ensure_strategies()
    assert sorted(map(str, Strategy.objects.all())) == ["describe@1", "enhance@1"]
    for strategy in Strategy.objects.all():
        assert strategy.system.endswith(RULES)
        assert "Never ask for a person's face" in strategy.system


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    second = new_version(name="describe", text=TEXT)
    assert (str(second), find_strategy("describe")) == ("describe@2", second)
    assert BUILT_IN[0].text in find_strategy("describe@1").system
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Strategy.objects.filter(pk=second.pk).update(system="Something else")
    Strategy.objects.filter(pk=second.pk).update(active=False)
    assert str(find_strategy("describe")) == "describe@1"


@pytest.mark.parametrize(
    "text", ["Do a face swap.", "Swap the faces of the two.", "Replace his face with hers.", "Make a deepfake", " "]
)
def test_a_text_that_asks_for_a_face_swap_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="invalid"):
        new_version(name="other", text=text)


def test_a_workspace_may_only_name_what_is_there(workspace: Workspace) -> None:
    new_version(name="packshot", text=TEXT)
    update_workspace(workspace, prompt_strategy="packshot@1", second_strategy="describe", second_share=20)
    for wrong in ("nothing", "packshot@2", "describe@0", "DESCRIBE"):
        with pytest.raises(Problem, match="There is no strategy"):
            update_workspace(workspace, prompt_strategy=wrong)


def test_traffic_is_shared_as_asked_and_the_same_generation_gets_the_same(workspace: Workspace) -> None:
    new_version(name="packshot", text=TEXT)
    update_workspace(workspace, second_strategy="packshot", second_share=30)
    keys = [(uuid.uuid4(), uuid.uuid4()) for _ in range(1000)]

    def picked() -> list[str]:
        return [pick(workspace, operation="generate", row=row, generation=made).name for row, made in keys]

    first = picked()
    assert first == picked()
    assert 240 < Counter(first)["packshot"] < 360


@pytest.mark.django_db(transaction=True)
def test_a_job_keeps_the_version_it_was_given(owner: User, row: Row) -> None:
    made = generate_images(user=owner, row_id=row.pk, use_ai_prompt=True, count=1)
    new_version(name="describe", text=TEXT)
    asked = PromptJob.objects.get(job=made.prompt_job)
    assert (asked.strategy, asked.strategy_version) == ("describe", 1)
    assert str(strategy_of(asked)) == "describe@1"
    enhanced = queue_prompt(
        user=owner, row_id=row.pk, target_url=row.target_url, operation="enhance", existing_prompt="A cat"
    )
    assert str(strategy_of(PromptJob.objects.get(job=enhanced))) == "enhance@1"
    later = queue_prompt(user=owner, row_id=row.pk, target_url=row.target_url)
    assert str(strategy_of(PromptJob.objects.get(job=later))) == "describe@2"


def picture(workspace: Workspace, *, version: int, favourite: bool = False, rating: int | None = None) -> None:
    """One image of a strategy's version, at 4 cents and 1 for its prompt."""
    row = RowFactory(workspace=workspace)
    prompt: Job = JobFactory(kind="prompt", row=row)
    PromptJob.objects.filter(job=prompt).update(strategy_version=version, source="model")
    image: Job = JobFactory(row=row, waits_for=prompt)
    GeneratedImageFactory(row=row, job=image, favourite=favourite, rating=rating)
    CallFactory(job_id=prompt.pk, owner=workspace.owner, cost_usd=Decimal("0.01"))
    CallFactory(job_id=image.pk, owner=workspace.owner, cost_usd=Decimal("0.04"))


def test_strategies_are_compared_with_intervals_and_not_before_ten(workspace: Workspace) -> None:
    new_version(name="describe", text=TEXT)
    for number in range(20):
        picture(workspace, version=2, favourite=number < 18, rating=5 - number % 2)
    for number in range(12):
        picture(workspace, version=1, favourite=number < 1, rating=2 if number < 9 else None)
    second, first = compare(workspace)
    assert (second.name, second.images, second.favourites, second.spent) == ("describe@2", 20, 18, Decimal("1.00"))
    assert second.rating.figure == pytest.approx(4.5)
    assert second.rating.low is not None
    assert second.rating.high is not None
    assert second.rating.low < 4.5 < second.rating.high
    assert second.cost_per_kept.figure == pytest.approx(0.05)
    assert (first.rating.enough, first.rating.n) == (False, 9), "nine ratings are not enough to say"
    assert verdict([second, first]) == "Images by describe@2 are favoured more often than those by describe@1."


def test_what_is_pruned_is_compared_all_the_same(workspace: Workspace, settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    new_version(name="describe", text=TEXT)
    for number in range(20):
        picture(workspace, version=2, favourite=number < 18, rating=5 - number % 2)
    for number in range(12):
        picture(workspace, version=1, favourite=number < 1, rating=2)
    before = compare(workspace)

    now, long_ago = timezone.now(), timezone.now() - timedelta(days=31)
    Job.objects.update(status="completed", finished_at=now, waits_for=None, stage="", reason="", run_after=None)
    assert prune() == 0
    Job.objects.filter(kind="prompt").update(finished_at=long_ago)
    assert prune() == 32
    assert compare(workspace) == before
    Job.objects.filter(kind="image").update(finished_at=long_ago)
    assert prune() == 32
    assert compare(workspace) == before
    picture(workspace, version=2)
    assert compare(workspace)[0].images == 21


def test_overlapping_intervals_are_not_enough_to_say(workspace: Workspace) -> None:
    new_version(name="describe", text=TEXT)
    for number in range(10):
        picture(workspace, version=1, favourite=number < 5)
        picture(workspace, version=2, favourite=number < 6)
    assert "Not enough to say" in verdict(compare(workspace))


def test_a_prompt_of_the_template_is_not_the_strategys_work(workspace: Workspace) -> None:
    picture(workspace, version=1, favourite=True)
    PromptJob.objects.update(source="template")
    (told,) = compare(workspace)
    assert (told.asked, told.written, told.images) == (1, 0, 0)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (18, 60, 0.1990, 0.4251)]
)
def test_wilsons_interval(count: int, n: int, low: float, high: float) -> None:
    told = intervals.share(count, n)
    assert (told.low, told.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(("degrees", "quantile"), [(9, 2.2622), (19, 2.0930), (99, 1.9842)])
def test_students_quantile(degrees: int, quantile: float) -> None:
    assert intervals.t_quantile(degrees) == pytest.approx(quantile, abs=1e-3)


def test_the_page_shows_intervals_to_the_owner_alone(workspace: Workspace, client: Client) -> None:
    for number in range(12):
        picture(workspace, version=1, favourite=number < 6)
    client.force_login(workspace.owner)
    page = client.get(f"/workspaces/{workspace.pk}/strategies").content.decode()
    assert "50 % (25 %–75 %)" in page
    assert "not enough to say (0 ratings)" in page
    client.force_login(User.objects.create_user("eve"))
    assert client.get(f"/workspaces/{workspace.pk}/strategies").status_code == 404


def test_staff_add_a_version_in_the_admin_and_change_none(client: Client) -> None:
    client.force_login(StaffFactory(is_superuser=True))
    form: dict[str, Any] = {"name": "packshot", "system": TEXT, "active": "on"}
    assert client.post("/admin/studio/strategy/add/", form).status_code == 302
    assert client.post("/admin/studio/strategy/add/", form | {"system": f"{TEXT} Softly."}).status_code == 302
    assert [str(one) for one in Strategy.objects.filter(name="packshot")] == ["packshot@2", "packshot@1"]
    refused = client.post("/admin/studio/strategy/add/", form | {"system": "Swap the faces."})
    assert "may not ask for a face" in refused.content.decode()
    first = Strategy.objects.get(name="packshot", version=1)
    assert client.post(f"/admin/studio/strategy/{first.pk}/change/", {"system": "Else"}).status_code == 302
    first.refresh_from_db()
    assert (first.active, first.system) == (False, TEXT + RULES)
