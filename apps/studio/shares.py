"""How many workspaces and rows one person may have: decided in the transaction that adds them, one request at a time."""

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core.database import Locks
from apps.core.errors import Problem
from apps.studio.models import Row, Workspace


def admit_workspace(owner: User) -> None:
    """Problem 409 `workspace_limit` when there is no room for another one."""
    _admit(owner, Workspace.objects.filter(owner=owner), 1, settings.WORKSPACE_QUOTA, "workspace")


def admit_rows(owner: User, more: int) -> None:
    """Problem 409 `row_limit` when there is no room for so many more, in all workspaces together."""
    _admit(owner, Row.objects.filter(workspace__owner=owner), more, settings.ROW_QUOTA, "row")


def _admit(owner: User, there: QuerySet[Workspace] | QuerySet[Row], more: int, most: int, what: str) -> None:
    if not most:
        return
    with connection.cursor() as cursor:
        # So that two requests do not both take the last place.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [Locks.SHARES, owner.pk])
    count = there.order_by()[: most + 1].count()
    if count + more > most:
        raise Problem(
            409,
            f"{what}_limit",
            f"You have {count:,} {what}s, and {most:,} is the most one person may have.",
            f"Delete {what}s you no longer need, or ask whoever runs this desk for more.",
            {"count": count, "limit": most},
        )
