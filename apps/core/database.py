"""Telling PostgreSQL's bad moments from our own mistakes."""

from django.db import InterfaceError, OperationalError

_CONFLICT = ("40001", "40P01", "55P03", "57014")  # serialization, deadlock, lock timeout, statement timeout
_LOST = ("08", "57P0", "25P03")  # connection, shut down or ended, ended while idle


def is_conflict(error: BaseException) -> bool:
    """Whether PostgreSQL gave this statement up for the others' sake: nothing of it was done, and it may be repeated."""
    return isinstance(error, OperationalError) and (_state(error) or "").startswith(_CONFLICT)


def is_passing(error: BaseException) -> bool:
    """Whether the server or the way to it failed, not the statement: it may succeed on a new connection.

    Without an SQLSTATE it is libpq's own error: nothing was heard from the server any more.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    state = _state(error)
    return state is None or state.startswith(_LOST)


def _state(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
