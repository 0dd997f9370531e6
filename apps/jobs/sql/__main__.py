"""Prints every statement as it is sent: python -m apps.jobs.sql > docs/statements.sql"""

import textwrap

from apps.jobs import sql


def as_sent() -> str:
    """The statements in the order of their names, with the parameters' names in place of their values."""
    head = "-- What the queue sends to PostgreSQL, a statement for each verb. Made by: python -m apps.jobs.sql\n"
    return head + "".join(f"\n-- {name}\n{_tidy(getattr(sql, name))};\n" for name in sql.__all__)


def _tidy(statement: str) -> str:
    lines = textwrap.dedent(statement).strip().splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


if __name__ == "__main__":
    print(as_sent(), end="")  # noqa: T201
