"""`manage.py migrate` without the time limits that requests and jobs live under: an index of a large table takes minutes."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

# Longer than any transaction of ours may last, so that an index made CONCURRENTLY can wait for them to end. A change
# of a table that gets its lock no sooner gives up: everybody else would stand in line behind it.
_LIMITS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "30s"}


class Command(Migrate):
    help = Migrate.help

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            for name, value in _LIMITS.items():
                cursor.execute(f"SET {name} = '{value}'")
        try:
            super().handle(*args, **options)
        finally:
            connection.close()  # whoever uses it next has the usual limits again
