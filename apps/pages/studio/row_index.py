"""Which rows of a workspace are in which state: what filters, search, numbers and pages need, without the rows themselves.

A row's state is not stored but follows from its jobs, so it is read for all rows of the workspace, by one statement.
"""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from apps.jobs.states import Status
from apps.studio.models import Row, Workspace
from apps.studio.rows import RowFacts, status_of
from apps.studio.states import NEEDS_PROMPT

# What the filter says, and the states it means. A person is needed where something failed, too.
FILTERS = {
    "": ("All", frozenset[str]()),
    "needs-you": ("Needs you", frozenset({"needs_you", "error", "partial"})),
    "working": ("Working", frozenset({"queued", "running"})),
    "done": ("Done", frozenset({"done"})),
}


@dataclass(frozen=True)
class Entry:
    """`number` is the row's place in the workspace, from 1, whatever is filtered."""

    id: UUID
    number: int
    status: str
    text: str


@dataclass(frozen=True)
class RowIndex:
    entries: list[Entry]

    def counts(self) -> dict[str, int]:
        tally = Counter(entry.status for entry in self.entries)
        return {
            key: sum(tally[state] for state in states) if states else len(self.entries)
            for key, (_, states) in FILTERS.items()
        }

    def matching(self, *, state: str = "", query: str = "") -> list[Entry]:
        states = FILTERS[state][1] if state in FILTERS else frozenset()
        wanted = query.casefold().strip()
        return [
            entry
            for entry in self.entries
            if (not states or entry.status in states) and (not wanted or wanted in entry.text)
        ]


# What the state of each row of a workspace follows from (studio.rows.RowFacts), by one statement. The owner's jobs of other
# workspaces are looked at with them: they fit in no row here.
_FACTS = """
WITH ours AS MATERIALIZED (
  SELECT id, position, created_at, generation, label, target_url, prompt_override, written_prompt
  FROM studio_row WHERE workspace_id = %(workspace)s),
jobs AS MATERIALIZED (
  SELECT i.row_id, j.id, j.status, j.reason, j.retry_of_id, false AS is_prompt
  FROM ours r JOIN studio_image_job i ON i.generation = r.generation AND i.row_id = r.id JOIN jobs_job j ON j.id = i.job_id
  UNION
  SELECT substr(subject, 5)::uuid, id, status, reason, retry_of_id, kind = 'prompt' FROM jobs_job
  WHERE owner_id = %(owner)s AND subject LIKE 'row:%%' AND status IN ('queued', 'scheduled', 'waiting', 'processing')),
tried_again AS MATERIALIZED (SELECT row_id, retry_of_id AS id FROM jobs WHERE NOT is_prompt AND retry_of_id IS NOT NULL),
latest AS (
  SELECT * FROM jobs WHERE is_prompt OR (row_id, id) NOT IN (SELECT row_id, id FROM tried_again)),
facts AS (
  SELECT row_id, array_agg(DISTINCT status) FILTER (WHERE NOT is_prompt) AS images,
    array_agg(DISTINCT status) FILTER (WHERE is_prompt) AS prompts,
    bool_or(NOT is_prompt AND status = 'waiting' AND reason = %(needs_prompt)s) AS needs_prompt
  FROM latest GROUP BY row_id)
SELECT r.id, concat_ws(' ', r.label, r.target_url, r.prompt_override, r.written_prompt),
  coalesce(f.images, '{}'), coalesce(f.prompts, '{}'), coalesce(f.needs_prompt, false), newest.status,
  EXISTS (SELECT 1 FROM studio_generated_image g WHERE g.row_id = r.id AND NOT g.late)
FROM ours r LEFT JOIN facts f ON f.row_id = r.id
LEFT JOIN LATERAL (
  SELECT j.status FROM studio_prompt_job p JOIN jobs_job j ON j.id = p.job_id
  WHERE p.row_id = r.id ORDER BY p.job_id DESC LIMIT 1) newest ON true
ORDER BY r.position, r.created_at
"""


def index_of(workspace: Workspace) -> RowIndex:
    asked: dict[str, UUID | int | str] = {
        "workspace": workspace.pk,
        "owner": workspace.owner_id,
        "needs_prompt": NEEDS_PROMPT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, asked)
        return RowIndex([_entry(number, *row) for number, row in enumerate(cursor.fetchall(), 1)])


def _entry(
    number: int,
    row_id: UUID,
    text: str,
    images: list[str],
    prompts: list[str],
    needs_prompt: bool,
    newest_prompt: str | None,
    has_images: bool,
) -> Entry:
    asked = frozenset(prompts) | ({newest_prompt} if newest_prompt else frozenset())
    facts = RowFacts(frozenset(images), asked, needs_prompt, newest_prompt == Status.FAILED, has_images)
    return Entry(id=row_id, number=number, status=status_of(facts), text=text.casefold())


def number_of(row: Row) -> int:
    """The row's place in its workspace, from 1."""
    ahead = row.workspace.rows.filter(position__lt=row.position).count()
    same = row.workspace.rows.filter(position=row.position, created_at__lt=row.created_at).count()
    return ahead + same + 1
