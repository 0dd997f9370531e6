"""Limits as rows: whoever holds a place may go on. PostgreSQL shares them among all workers, and outlives each."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.providers.models import PlaceKind

# Two clocks and a network lie between our minute and the provider's.
MINUTE_SECONDS = 61.0

_TAKE = """
    UPDATE providers_place
       SET free_at = clock_timestamp() + make_interval(secs => %(seconds)s), holder = %(holder)s
     WHERE id = (
         SELECT id FROM providers_place
          WHERE provider = %(provider)s AND kind = %(kind)s AND number < %(limit)s
            AND free_at <= (SELECT clock_timestamp())
          ORDER BY free_at LIMIT 1
            FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
_FREE = "UPDATE providers_place SET free_at = clock_timestamp(), holder = NULL WHERE id = %s AND holder = %s"
_LAY_OUT = """
    INSERT INTO providers_place (provider, kind, number, free_at)
    SELECT %(provider)s, %(kind)s, number, clock_timestamp() FROM generate_series(0, %(limit)s - 1) AS number
     WHERE %(limit)s > (SELECT count(*) FROM providers_place WHERE provider = %(provider)s AND kind = %(kind)s)
    ON CONFLICT DO NOTHING
"""
_NEXT_FREE = """
    SELECT coalesce(min(free_at) FILTER (WHERE free_at > clock_timestamp()), clock_timestamp()), clock_timestamp()
      FROM providers_place WHERE provider = %s AND kind = %s AND number < %s
"""


@dataclass(frozen=True)
class Taken:
    """A place in hand. The holder's mark keeps a late `free` from freeing somebody else's."""

    place_id: int
    holder: uuid.UUID


def take(*, provider: str, kind: PlaceKind, limit: int, seconds: float) -> Taken | None:
    """A free place for so many seconds; None when all `limit` are taken."""
    holder = uuid.uuid4()
    asked: dict[str, str | float | uuid.UUID] = {
        "provider": provider,
        "kind": kind,
        "limit": limit,
        "seconds": seconds,
        "holder": holder,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, asked)
        row = cursor.fetchone()
        if row is None:
            # The first call ever, or since the limit was raised, finds no rows to take.
            cursor.execute(_LAY_OUT, asked)
            if cursor.rowcount:
                cursor.execute(_TAKE, asked)
                row = cursor.fetchone()
    return Taken(row[0], holder) if row else None


def free(taken: Taken) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [taken.place_id, taken.holder])


def next_free(*, provider: str, kind: PlaceKind, limit: int) -> tuple[datetime, datetime]:
    """When the next place is free if nobody gives one back before, and now, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_FREE, [provider, kind, limit])
        return cursor.fetchone()


def taken_counts() -> dict[tuple[str, str], int]:
    """How many places are taken now, by provider and kind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT provider, kind, count(*) FROM providers_place WHERE free_at > clock_timestamp() GROUP BY 1, 2"
        )
        return {(provider, kind): count for provider, kind, count in cursor.fetchall()}
