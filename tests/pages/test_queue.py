"""The drawer of one's own queue."""

import pytest

from apps.pages import queue
from tests.factories import JobFactory, RowFactory


def test_a_long_queue_shows_what_starts_first_and_not_what_is_oldest(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST", 2)
    row = RowFactory()
    ordinary = [JobFactory(row=row, priority=5) for _ in range(3)]
    urgent = JobFactory(row=row, priority=9)
    shown = [ticket.job for ticket in queue.tickets_of(row.workspace.owner)]
    assert shown == [urgent, ordinary[0]]
