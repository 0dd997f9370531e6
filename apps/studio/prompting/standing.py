"""What stands in a row's prompt field and who wrote it: the one home of that rule.

A person's text (`prompt_override`) stands there until a prompt is written for the row; the written one then stands until
a person types another. Generate uses what stands there. The text that a written one took the place of is kept
(`prompt_before`), so that one may go back to it.
"""

from dataclasses import dataclass

from django.db.models import Case, F, Q, When

from apps.studio.models import PromptJob, Row


@dataclass(frozen=True)
class Standing:
    """`source`: manual, model, template, default, or empty where no text stands. `strategy`: name@version."""

    text: str
    source: str
    model: str = ""
    strategy: str = ""
    before: str = ""


def standing_prompt(row: Row) -> Standing:
    if row.written_prompt:
        before = row.prompt_before if row.prompt_before != row.written_prompt else ""
        return Standing(row.written_prompt, row.written_source, row.written_by, row.written_with, before)
    return Standing(row.prompt_override, PromptJob.Source.MANUAL if row.prompt_override else "")


def usable_prompt(row: Row) -> tuple[str, str]:
    """What Generate uses, and its source: what stands in the field, else the workspace's default; both may be empty."""
    standing = standing_prompt(row)
    if standing.text.strip():
        return standing.text.strip(), standing.source
    return row.workspace.default_prompt.strip(), PromptJob.Source.DEFAULT


def typed(text: object) -> dict[str, object]:
    """The fields of a row in which a person typed this text."""
    nobody = dict.fromkeys(("written_prompt", "written_source", "written_by", "written_with", "prompt_before"), "")
    return {**nobody, "prompt_override": text}


def put_in_row(prompt_job: PromptJob, *, prompt: str, source: str, model: str = "") -> None:
    """In the transaction that ends the prompt job. A person who typed since it was asked for keeps their text."""
    strategy = f"{prompt_job.strategy}@{prompt_job.strategy_version}" if source == PromptJob.Source.MODEL else ""
    own_text = Case(When(Q(written_prompt=""), then=F("prompt_override")), default=F("prompt_before"))
    written = {
        "written_prompt": prompt,
        "written_source": source,
        "written_by": model,
        "written_with": strategy,
        "prompt_before": own_text,
    }
    if prompt_job.apply_to_row:
        written["prompt_override"] = prompt
    # row_prompt is null for a prompt that was asked for apart from the row: it equals nothing.
    Row.objects.filter(prompt_jobs=prompt_job, prompt_override=prompt_job.row_prompt).update(**written)
