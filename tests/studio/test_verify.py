"""`manage.py verify` ends with a line that says what to do, whatever went wrong."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import Problem
from apps.desk.vitals import Vital
from apps.studio.management.commands import verify
from apps.studio.verification import Proof

UP = [Vital("database", True, "It answers.")]


def verified() -> str:
    out = StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("verify", stdout=out)
    assert ended.value.returncode == 1
    return out.getvalue()


@pytest.fixture(autouse=True)
def _simulated(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIMULATED = ["xai", "wavespeed"]
    monkeypatch.setattr(verify.vitals, "look", lambda: UP)


def test_what_nobody_expected_is_a_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def prove(*, seconds: float) -> Iterator[Proof]:
        yield Proof("queue", True, "completed in 0.1 s")
        raise PermissionError("data/media: permission denied")

    monkeypatch.setattr(verify, "prove", prove)
    *good, last = verified().splitlines()
    assert [line.split()[:2] for line in good] == [["ok", "database"], ["ok", "queue"]]
    assert last.startswith("FAIL  verify    PermissionError: data/media: permission denied  → ")


def test_a_refusal_says_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def prove(*, seconds: float) -> Iterator[Proof]:
        raise Problem(503, "storage_full", "The disk is full.", "Free some space.")

    monkeypatch.setattr(verify, "prove", prove)
    assert verified().endswith("FAIL  verify    The disk is full.  → Free some space.\n")


def test_a_check_that_breaks_is_a_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> list[Vital]:
        raise RuntimeError

    monkeypatch.setattr(verify.vitals, "look", breaks)
    assert verified().startswith("FAIL  verify    RuntimeError: no more is known  → Correct")
