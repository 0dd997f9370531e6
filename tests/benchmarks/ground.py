"""Servers and an empty database of a benchmark's own, gone when it ends."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from apps.launch.testing import embedded_servers


@contextmanager
def ground(**environment: str) -> Iterator[Path]:
    """Django over fresh embedded servers, migrated; answers the folder that goes with them.

    Import what needs Django inside the block. `environment` is set before the settings are read.
    """
    with tempfile.TemporaryDirectory(prefix="pressroom-benchmark-") as name:
        folder = Path(name)
        with embedded_servers(folder) as servers:
            os.environ |= {
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
                "PRESSROOM_DATA_DIR": str(folder / "data"),
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "SECRET_KEY": "benchmark",
                **environment,
            }
            import django

            django.setup()
            from django.core.management import call_command
            from django.db import connection

            call_command("migrate", verbosity=0)
            try:
                yield folder
            finally:
                connection.close()


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown, with columns as wide as they need."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
