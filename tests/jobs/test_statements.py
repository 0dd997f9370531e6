"""The statements as they are sent stand in docs/, so that a change of one part shows in all that it changes."""

from pathlib import Path

from apps.jobs.sql.__main__ import as_sent

KEPT = Path(__file__).parents[2] / "docs" / "statements.sql"


def test_the_statements_in_the_docs_are_those_that_are_sent() -> None:
    assert KEPT.read_text() == as_sent(), "Run: python -m apps.jobs.sql > docs/statements.sql"
