"""Tells the live stream, after commit, what changed. Who misses it reads the same from jobs_event."""

from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from apps.core.broker import hints
from apps.jobs.values import Change

CHANNEL = "pressroom:events"
QUIET_MILLISECONDS = 1000
# A change has about 0.12 kB: a message of all that a batch changed would outlast Redis's time and close the wake-ups too.
MOST_A_MESSAGE = 500


def after_commit(changes: Sequence[Change]) -> None:
    if changes:
        transaction.on_commit(partial(_publish, changes), robust=True)


def partial_text(owner_id: int, uid: UUID, subject: str, text: str) -> None:
    """What a running job has written so far. No event: it is in no table, has no id, and who misses it misses nothing."""
    body = orjson.dumps([{"id": 0, "owner": owner_id, "job": str(uid), "subject": subject, "partial": text}])
    hints.attempt(lambda client: client.publish(CHANNEL, body))


def edited(edits: Sequence[tuple[int, str, str]]) -> None:
    """People changed things themselves: (owner, subject, workspace) of each. No job moved, so there is no event either."""
    told = [{"id": 0, "owner": owner, "subject": subject, "workspace": place} for owner, subject, place in edits]
    hints.attempt(lambda client: client.publish(CHANNEL, orjson.dumps(told)))


def _publish(changes: Sequence[Change]) -> None:
    """Of quiet kinds (the children of a batch) only that their subject moved, and that once in QUIET_MILLISECONDS."""
    told = [message(change) for change in changes if not settings.KINDS[change.kind].quiet]
    quiet = {(change.owner_id, change.subject) for change in changes if settings.KINDS[change.kind].quiet}
    for owner, subject in sorted(quiet):
        key = f"pressroom:told:{owner}:{subject}"
        if hints.attempt(lambda client, key=key: client.set(key, 1, px=QUIET_MILLISECONDS, nx=True)):  # type: ignore[misc]
            told.append({"id": 0, "owner": owner, "subject": subject, "workspace": ""})
    for portion in batched(told, MOST_A_MESSAGE):
        hints.attempt(lambda client, portion=portion: client.publish(CHANNEL, orjson.dumps(portion)))  # type: ignore[misc]


def batched(told: Sequence[object], size: int) -> Iterator[Sequence[object]]:
    for start in range(0, len(told), size):
        yield told[start : start + size]


def message(change: Change) -> dict[str, object]:
    return {
        "id": change.event_id,
        "owner": change.owner_id,
        "job": str(change.uid),
        "subject": change.subject,
        "status": change.new,
        "stage": change.stage,
    }
