"""Telling PostgreSQL's bad moments from our own mistakes, and statements that it plans once a connection."""

import threading
import time
from collections.abc import Collection
from enum import IntEnum
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

_CONFLICT = ("40001", "40P01", "55P03", "57014")  # serialization, deadlock, lock timeout, statement timeout
_LOST = ("08", "57P0", "25P03")  # connection, shut down or ended, ended while idle
_NO_ROOM = ("53100", "53200")  # disk, memory
REFUSED_SECONDS = 30.0
_refused_at = float("-inf")  # time.monotonic() of the last write that found no room


def is_conflict(error: BaseException) -> bool:
    """Whether PostgreSQL gave this statement up for the others' sake: nothing of it was done, and it may be repeated."""
    return isinstance(error, OperationalError) and (_state(error) or "").startswith(_CONFLICT)


def is_passing(error: BaseException) -> bool:
    """Whether the server or the way to it failed, or it has no room, not the statement: it may succeed later.

    Without an SQLSTATE it is libpq's own error: nothing was heard from the server any more.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    state = _state(error)
    return state is None or state.startswith((*_LOST, *_NO_ROOM))


def is_out_of_room(error: BaseException) -> bool:
    """Whether PostgreSQL has no disk or no memory left for this statement."""
    return isinstance(error, OperationalError) and (_state(error) or "").startswith(_NO_ROOM)


def write_probe() -> None:
    """A write that is committed to disk and changes nothing; raises what PostgreSQL raises when it takes none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('api_readiness', 1)")


def note_refused_write() -> None:
    """A write found no room: this process says so to its load balancer for a while."""
    global _refused_at
    _refused_at = time.monotonic()


def refused_writes_lately() -> bool:
    return time.monotonic() - _refused_at < REFUSED_SECONDS


def _state(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def give_back_connection() -> None:
    """One thread of many gives its connection back while it has no use for it: what a provider takes half a minute to answer
    must not hold one of PostgreSQL's connections for so long.

    Alone in its process it keeps it, with what is prepared on it; so does whoever is inside a transaction.
    """
    if threading.current_thread() is not threading.main_thread() and not connection.in_atomic_block:
        connection.close()


class Locks(IntEnum):
    """The first key of our advisory locks: what the second one names. Two kinds never meet, whatever their hashes."""

    LANE = 1
    QUEUE = 2
    BUDGET = 3
    SPACE = 4
    SHARES = 5
    CUTOUT = 6


def lock_names(kind: Locks, names: Collection[str]) -> None:
    """Until the transaction ends, in the order of the locks themselves: two names may share one.

    A statement of its own before what it guards: under READ COMMITTED that sees all that was committed before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_NAMES, {"kind": kind, "names": list(names)})


_LOCK_NAMES = """
SELECT pg_advisory_xact_lock(%(kind)s, key) FROM (
  SELECT DISTINCT hashtext(name) AS key FROM unnest(%(names)s::text[]) AS name ORDER BY key) keys
"""


def prepared_cursor() -> CursorWrapper:
    """A cursor whose statements are prepared: PostgreSQL parses them once a connection, and soon plans them once.

    For statements written by hand that name every state in their text. What the ORM sends would plan badly so: a plan
    for any status cannot use an index of the queued ones only.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
        return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
