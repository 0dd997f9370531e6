"""One request for many rows of a workspace, carried on to its end whether or not anybody waits for the answer.

Each row is asked for by itself, in a transaction of its own, by the service that a single press uses: it is there whole
or not at all, and what is wrong with one row is said of it and leaves the others alone.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from apps.accounts.models import User
from apps.core.errors import Problem, not_found
from apps.jobs import endings
from apps.jobs.models import Job
from apps.studio.models import Row
from apps.studio.owned import find_workspace
from apps.studio.pictures import LOOK_SECONDS, must_be_fetched
from apps.studio.rows import references_of, subject_of

T = TypeVar("T")
MOST_ROWS = 50


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of one row: something was made, or there was a problem."""

    row_id: UUID
    made: T | None = None
    problem: Problem | None = None


def each_row(*, user: User, workspace_id: UUID, row_ids: Sequence[UUID], make: Callable[[UUID], T]) -> list[Outcome[T]]:
    """`make` for each row, in the given order; a Problem it raises is that row's. Problem 404: no such workspace.

    Pictures that must be fetched are looked at for LOOK_SECONDS in all, and for what one row may take besides: a thread waits
    for them. The rows that are left say so, and may be asked for again.
    """
    workspace = find_workspace(user, workspace_id)
    rows = Row.objects.filter(workspace=workspace).select_related("workspace__owner").in_bulk(row_ids)
    ends = time.monotonic() + LOOK_SECONDS
    outcomes = []
    for row_id in dict.fromkeys(row_ids):
        try:
            row = rows.get(row_id)
            if row is None:
                raise not_found("row")
            if time.monotonic() > ends and must_be_fetched(workspace.owner, [*references_of(row), row.target_url]):
                raise _not_looked_at()
            outcomes.append(Outcome(row_id, made=make(row_id)))
        except Problem as problem:
            outcomes.append(Outcome(row_id, problem=problem))
    return outcomes


def _not_looked_at() -> Problem:
    return Problem(
        503,
        "pictures_not_looked_at",
        "The pictures of the rows before took too long to fetch, so this row's were not looked at.",
        "Press it again for this row.",
    )


@dataclass(frozen=True)
class Stopped:
    """How many jobs of a row are over, and how many run and stop at their next step."""

    cancelled: int
    requested: int


def cancel_rows(*, user: User, workspace_id: UUID, row_ids: Sequence[UUID]) -> list[Outcome[Stopped]]:
    """Stops everything of these rows that is not over."""

    def stop(row_id: UUID) -> Stopped:
        live = Job.objects.of(user).live().filter(subject=subject_of(Row(pk=row_id)))
        changes = endings.cancel(list(live.values_list("pk", flat=True)), reason="cancelled_by_owner")
        over = sum(1 for change in changes if change.new == "cancelled")
        return Stopped(over, len(changes) - over)

    find_workspace(user, workspace_id)
    known = set(Row.objects.filter(workspace=workspace_id, pk__in=row_ids).values_list("pk", flat=True))
    return [
        Outcome(row_id, made=stop(row_id)) if row_id in known else Outcome(row_id, problem=not_found("row"))
        for row_id in dict.fromkeys(row_ids)
    ]
