"""What stands in a row's prompt field: the last text that was typed or written."""

import pytest

from apps.studio.models import PromptJob, Row
from apps.studio.prompting.standing import put_in_row, standing_prompt, usable_prompt
from apps.studio.rows import update_row
from tests.factories import JobFactory, RowFactory

pytestmark = pytest.mark.django_db


def asked_for(row: Row, **fields: object) -> PromptJob:
    prompt_job = PromptJob.objects.get(job=JobFactory(kind="prompt", row=row))
    for name, value in (
        {"row_prompt": row.prompt_override, "strategy": "house", "strategy_version": 3} | fields
    ).items():
        setattr(prompt_job, name, value)
    prompt_job.save()
    return prompt_job


def write(prompt_job: PromptJob, text: str) -> Row:
    put_in_row(prompt_job, prompt=text, source="model", model="grok-4.7")
    return Row.objects.select_related("workspace__owner").get(pk=prompt_job.row_id)


def test_what_is_written_for_images_stands_and_is_used_and_the_typed_text_is_kept() -> None:
    row = RowFactory(prompt_override="My own words.")
    row = write(asked_for(row), "Grok's words.")
    standing = standing_prompt(row)
    assert (standing.text, standing.source, standing.model, standing.strategy) == (
        "Grok's words.",
        "model",
        "grok-4.7",
        "house@3",
    )
    assert (standing.before, row.prompt_override) == ("My own words.", "My own words.")
    assert usable_prompt(row) == ("Grok's words.", "model")


def test_a_second_written_text_leads_back_to_the_typed_one_all_the_same() -> None:
    row = RowFactory(prompt_override="My own words.")
    write(asked_for(row), "First.")
    row = write(asked_for(row, apply_to_row=True), "Second.")
    assert (standing_prompt(row).text, standing_prompt(row).before) == ("Second.", "My own words.")
    assert row.prompt_override == "Second.", "asked for with applyToRow"


def test_whoever_typed_meanwhile_keeps_the_text() -> None:
    row = RowFactory(prompt_override="My own words.")
    prompt_job = asked_for(row)
    update_row(user=row.workspace.owner, row_id=row.pk, fields={"prompt_override": "Typed meanwhile."})
    row = write(prompt_job, "Grok's words.")
    assert (standing_prompt(row).text, standing_prompt(row).source) == ("Typed meanwhile.", "manual")


def test_a_prompt_asked_for_apart_does_not_stand_in_the_row() -> None:
    row = RowFactory(prompt_override="")
    row = write(asked_for(row, row_prompt=None), "For a program only.")
    assert standing_prompt(row).text == ""


def test_typing_takes_its_place_also_by_emptying_the_field() -> None:
    row = RowFactory(prompt_override="")
    row.workspace.default_prompt = "The default."
    row.workspace.save()
    row = write(asked_for(row), "Grok's words.")
    owner = row.workspace.owner
    same = update_row(user=owner, row_id=row.pk, fields={"prompt_override": "Grok's words."})
    assert standing_prompt(same).source == "model", "the same words stay the model's"
    row = update_row(user=owner, row_id=row.pk, fields={"prompt_override": ""}, prompt_was="Grok's words.")
    assert standing_prompt(row).text == ""
    assert usable_prompt(row) == ("The default.", "default")
