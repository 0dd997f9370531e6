"""Tells the live stream, after commit, what changed. Who misses it reads the same from jobs_event."""

from collections.abc import Sequence
from functools import partial

import orjson
from django.db import transaction

from apps.jobs.broker import hints
from apps.jobs.values import Change

CHANNEL = "pressroom:events"


def after_commit(changes: Sequence[Change]) -> None:
    if changes:
        transaction.on_commit(partial(_publish, changes), robust=True)


def _publish(changes: Sequence[Change]) -> None:
    body = orjson.dumps([message(change) for change in changes])
    hints.attempt(lambda client: client.publish(CHANNEL, body))


def message(change: Change) -> dict[str, object]:
    return {
        "id": change.event_id,
        "owner": change.owner_id,
        "job": str(change.uid),
        "subject": change.subject,
        "status": change.new,
        "stage": change.stage,
    }
