"""The governor: limits that hold for every worker together, holds, breakers."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

from apps.core.clock import database_now
from apps.jobs.handlers import Cancelled, LeaseLost
from apps.providers import errors, governor, places
from apps.providers.breakers import FEWEST_CALLS, OPEN_FIRST
from apps.providers.governor import Busy, permit, report
from apps.providers.models import Breaker, Place, PlaceKind

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
MODEL = "m"


def limit(settings: Settings, *, concurrent: int = 0, per_minute: int = 0) -> None:
    settings.PROVIDER_LIMITS = {"wavespeed": {"concurrent": concurrent, "per_minute": per_minute}}


def ask(model: str = MODEL) -> governor.Permit:
    return permit(provider="wavespeed", model=model, seconds=30)


def busy(model: str = MODEL) -> Busy:
    with pytest.raises(Busy) as refusal:
        ask(model)
    return refusal.value


def fail(times: int, kind: type[errors.ProviderError] = errors.Overloaded, model: str = MODEL) -> None:
    for _ in range(times):
        report(provider="wavespeed", model=model, error=kind("wavespeed"))


def succeed(times: int = 1, model: str = MODEL) -> None:
    for _ in range(times):
        report(provider="wavespeed", model=model, error=None)


def let_time_pass(seconds: float) -> None:
    """Everything the governor remembers becomes so much older."""
    with connection.cursor() as cursor:
        for table, columns in {
            "providers_place": ["free_at"],
            "providers_breaker": ["window_started_at", "open_until", "probe_until"],
        }.items():
            changes = ", ".join(f"{column} = {column} - make_interval(secs => {seconds})" for column in columns)
            cursor.execute(f"UPDATE {table} SET {changes}")


def test_without_limits_nothing_is_taken(settings: Settings) -> None:
    limit(settings)
    with ask(), ask(), ask():
        assert not Place.objects.exists()


def test_a_permit_is_refused_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        ask()


def test_places_for_calls_run_out_and_come_back(settings: Settings) -> None:
    limit(settings, concurrent=2)
    with ask():
        with ask():
            refusal = busy()
        ask().release()

    assert refusal.reason == "provider_limit"
    assert timedelta() < refusal.until - database_now() + timedelta(seconds=1) < timedelta(seconds=4)


def test_the_place_of_a_killed_worker_comes_back_at_its_deadline(settings: Settings) -> None:
    limit(settings, concurrent=1)
    ask()  # and nobody ever leaves the block
    busy()
    let_time_pass(34)
    busy()
    let_time_pass(2)
    ask()


def test_leaving_while_the_database_is_away_raises_nothing(settings: Settings) -> None:
    limit(settings, concurrent=1)
    with ask():
        with connection.cursor() as cursor, pytest.raises(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        answer = "paid for"
    connection.close()

    assert answer
    busy()


def test_a_late_release_frees_nobody_elses_place(settings: Settings) -> None:
    limit(settings, concurrent=1)
    late = ask()
    let_time_pass(36)
    ask()
    late.release()

    busy()


def test_a_raised_limit_holds_at_once_and_a_lowered_one_too(settings: Settings) -> None:
    limit(settings, concurrent=1)
    ask()
    limit(settings, concurrent=2)
    ask()
    limit(settings, concurrent=1)
    assert busy().reason == "provider_limit"


def test_requests_of_a_minute_run_out_until_the_first_is_a_minute_old(settings: Settings) -> None:
    limit(settings, per_minute=3)
    for _ in range(3):
        ask().release()
    refusal = busy()

    assert refusal.reason == "rate_limited_until"
    assert timedelta(seconds=55) < refusal.until - database_now() <= timedelta(seconds=places.MINUTE_SECONDS)
    let_time_pass(places.MINUTE_SECONDS)
    ask()


def test_a_refusal_takes_nothing_with_it(settings: Settings) -> None:
    limit(settings, concurrent=5, per_minute=1)
    ask().release()
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds())
    assert busy().reason == "rate_limited_until"

    assert (("wavespeed", PlaceKind.CALL)) not in places.taken_counts()
    limit(settings)
    assert ask().probe


def test_a_rate_limit_is_no_failure_of_the_provider() -> None:
    fail(20, errors.RateLimited)
    ask()


def test_half_of_enough_failures_opens_a_model_and_no_other() -> None:
    succeed(FEWEST_CALLS - 2)
    fail(FEWEST_CALLS - 3)
    ask()
    fail(1)
    refusal = busy()

    assert (refusal.reason, refusal.cause) == ("breaker_open_until", "provider_overloaded")
    assert timedelta(seconds=25) < refusal.until - database_now() <= OPEN_FIRST
    ask("other")


def test_too_few_calls_never_open() -> None:
    fail(FEWEST_CALLS - 1)
    ask()


def test_failures_of_an_earlier_minute_do_not_count() -> None:
    fail(FEWEST_CALLS - 1)
    let_time_pass(61)
    fail(1)
    ask()


def test_declined_content_is_no_failure_of_the_provider() -> None:
    fail(20, errors.ContentRefused)
    fail(20, errors.InvalidRequest)
    ask()


def test_one_caller_tries_and_its_success_closes() -> None:
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds())
    assert ask().probe
    assert busy().reason == "breaker_open_until"
    succeed()

    assert not ask().probe
    assert Breaker.objects.get().openings == 0


def test_of_many_that_ask_at_once_one_may_try() -> None:
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds())
    together = threading.Barrier(8)

    def try_once(_number: int) -> bool:
        together.wait()
        try:
            return ask().probe
        except Busy:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(try_once, range(8))) == [False] * 7 + [True]


def test_failures_reported_at_once_are_all_counted() -> None:
    def fail_once(_number: int) -> None:
        fail(1)
        connection.close()

    with ThreadPoolExecutor(FEWEST_CALLS) as threads:
        list(threads.map(fail_once, range(FEWEST_CALLS)))
    assert Breaker.objects.get().failures == FEWEST_CALLS
    busy()


def test_a_failed_trial_opens_again_for_longer() -> None:
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds())
    ask()
    fail(1)

    assert busy().until - database_now() > OPEN_FIRST


@pytest.mark.parametrize("ends_it", [Cancelled, LeaseLost])
def test_a_trial_that_is_not_made_is_given_back(ends_it: type[Exception]) -> None:
    """The job was cancelled, or taken away, between the leave to call and the call."""
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds() + 1)
    with pytest.raises(ends_it), ask():
        raise ends_it
    assert ask().probe


def test_a_trial_that_failed_is_not_given_back_before_its_report() -> None:
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds() + 1)
    with pytest.raises(errors.Overloaded), ask():
        raise errors.Overloaded("wavespeed")
    assert busy().reason == "breaker_open_until"


def test_a_trial_whose_caller_died_is_given_to_another() -> None:
    fail(FEWEST_CALLS)
    let_time_pass(OPEN_FIRST.total_seconds())
    ask()
    let_time_pass(36)
    assert ask().probe


def test_results_from_before_it_opened_change_nothing() -> None:
    fail(FEWEST_CALLS)
    until = Breaker.objects.get().open_until
    fail(3)
    succeed(3)

    assert Breaker.objects.get().open_until == until
    busy()


@pytest.mark.parametrize("kind", [errors.AuthFailed, errors.PaymentRequired])
def test_a_refused_key_or_no_credits_opens_the_provider_at_once(kind: type[errors.ProviderError]) -> None:
    fail(1, kind)

    assert busy("any model").cause == kind.code
    let_time_pass(300)
    assert ask("one model").probe
    busy("another model")
    succeed(model="one model")
    assert not ask("another model").probe


def test_state_says_what_pages_show(settings: Settings) -> None:
    limit(settings, concurrent=3, per_minute=10)
    ask()
    ask().release()
    fail(FEWEST_CALLS)
    (view,) = governor.state()

    assert view.provider == "wavespeed"
    assert (view.calls_used, view.calls_limit, view.requests_used, view.requests_limit) == (1, 3, 2, 10)
    (breaker,) = view.breakers
    assert (breaker.model, breaker.state, breaker.failures) == (MODEL, "open", FEWEST_CALLS)


@pytest.fixture
def journal() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE governing (id serial PRIMARY KEY, started_at timestamptz, ended_at timestamptz)")
        yield
        cursor.execute("DROP TABLE governing")


def most_at_once() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(running) FROM (SELECT sum(step) OVER (ORDER BY at, step) AS running FROM ("
            " SELECT started_at AS at, 1 AS step FROM governing UNION ALL"
            " SELECT ended_at, -1 FROM governing WHERE ended_at IS NOT NULL) AS steps) AS running"
        )
        return cursor.fetchone()[0]


def run_workers(count: int, seconds: float, **limits: int) -> int:
    """How many calls eight processes made of it."""
    parts = connection.get_connection_params()
    where = f"host={parts['host']} port={parts.get('port') or 5432} user={parts['user']} dbname={parts['dbname']}"
    names = {"concurrent": "WAVESPEED_MAX_CONCURRENT", "per_minute": "WAVESPEED_REQUESTS_PER_MINUTE"}
    environment = os.environ | {"DATABASE_URL": where} | {names[name]: str(value) for name, value in limits.items()}
    command = [sys.executable, "-m", "tests.providers.governing", str(seconds)]
    workers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(count)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * count
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM governing")
        return cursor.fetchone()[0]


def test_eight_processes_never_make_more_calls_at_once_than_allowed(journal: None) -> None:
    made = run_workers(8, 3, concurrent=3)

    assert made > 50
    assert most_at_once() == 3


def test_eight_processes_never_make_more_requests_a_minute_than_allowed(journal: None) -> None:
    assert run_workers(8, 2, per_minute=17) == 17
