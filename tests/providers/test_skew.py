"""How far a provider's clock is ahead: what an answer tells of it, and what is made of many."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.db import connection

from apps.core.clock import database_now
from apps.core.reply import Reply
from apps.providers import skew
from apps.providers.models import ClockSkew
from apps.providers.wavespeed.client import WavespeedClient
from tests.support.simulator import SimulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)


def read(told: datetime, *, took: float = 0.0) -> None:
    now = time.monotonic()
    skew.note("wavespeed", told, asked=now - took, answered=now)


def known() -> skew.Ahead:
    ahead = skew.ahead_of("wavespeed", since=database_now())
    assert ahead is not None
    return ahead


def test_every_answer_tells_the_time(wavespeed: WavespeedClient, simulator: SimulatorProcess) -> None:
    simulator.skew(-130)
    wavespeed.balance()
    ahead = known()

    assert ahead.least <= -130 <= ahead.most
    assert ahead.most - ahead.least < 2 * skew.SLOWEST_SECONDS + 2
    assert ahead.was_known_at(database_now())


def test_a_submit_tells_the_time_of_the_very_clock_that_is_looked_up(
    wavespeed: WavespeedClient, simulator: SimulatorProcess
) -> None:
    """A gateway's Date may be right while the clock behind it is wrong."""
    simulator.skew(-600)
    right = format_datetime(datetime.now(UTC), usegmt=True)
    simulator.scenario("wavespeed", match={"path": "*seedream*"}, headers={"Date": right})
    wavespeed.submit(model="bytedance/seedream-v4.5", inputs={"prompt": "A teapot"})

    assert known().least < -590
    assert known().most > -10


def test_the_range_covers_what_was_read(wavespeed: WavespeedClient, simulator: SimulatorProcess) -> None:
    for seconds in (0, 3600, -600):
        simulator.skew(seconds)
        wavespeed.balance()
    assert known().least <= -600
    assert known().most >= 3600


def test_the_same_reading_is_written_once(wavespeed: WavespeedClient) -> None:
    wavespeed.balance()
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin FROM providers_clock_skew")
        before = cursor.fetchall()
        for _ in range(5):
            wavespeed.balance()
        cursor.execute("SELECT xmin FROM providers_clock_skew")
        assert cursor.fetchall() == before


def test_a_slow_answer_a_cached_one_and_nonsense_tell_nothing() -> None:
    read(database_now(), took=skew.SLOWEST_SECONDS + 1)
    read(database_now() + timedelta(days=3))
    now = time.monotonic()
    for headers in ({"date": format_datetime(datetime.now(UTC)), "age": "60"}, {"date": "soon"}, {}):
        skew.note_date("wavespeed", Reply(200, headers, b""), asked=now, answered=now)
    assert not ClockSkew.objects.exists()


def test_old_readings_go() -> None:
    read(database_now())
    ClockSkew.objects.update(last_at=database_now() - timedelta(days=9))
    assert skew.prune_skews() == 1
