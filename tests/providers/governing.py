"""One worker of the governor tests, as a process: `python -m tests.providers.governing SECONDS`.

Takes permits as fast as it is let, and writes each call's start and end by the database's clock.
"""

import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402

from apps.providers import governor  # noqa: E402

CALL_SECONDS = 0.02


def record(event: str, call: int | None = None) -> int:
    with connection.cursor() as cursor:
        if call is None:
            cursor.execute("INSERT INTO governing (started_at) VALUES (clock_timestamp()) RETURNING id")
            return cursor.fetchone()[0]
        cursor.execute(f"UPDATE governing SET {event} = clock_timestamp() WHERE id = %s", [call])
        return call


def main() -> None:
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        try:
            with governor.permit(provider="wavespeed", model="m", seconds=5):
                call = record("started_at")
                time.sleep(CALL_SECONDS)
                record("ended_at", call)
        except governor.Busy:
            time.sleep(0.005)


if __name__ == "__main__":
    main()
