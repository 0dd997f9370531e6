"""`manage.py up`: everything on this machine, with its own servers, until Ctrl-C."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.launch.errors import LaunchError
from apps.launch.ports import Address
from apps.launch.up import Request, up


class Command(BaseCommand):
    help = "Run Pressroom on this machine: embedded PostgreSQL and Redis unless DATABASE_URL and REDIS_URL are set."
    requires_system_checks: list[str] = []  # there may be no database yet

    def add_arguments(self, parser: CommandParser) -> None:
        usual = os.environ.get("PRESSROOM_DATA_DIR", "").strip() or settings.BASE_DIR / ".pressroom"
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the next two ports are used too (default: 8000)")
        parser.add_argument("--data-dir", type=Path, default=usual, help="also PRESSROOM_DATA_DIR")
        parser.add_argument("--no-demo", action="store_false", dest="demo", help="make no demo user and no demo rows")

    def handle(self, *args: Any, **options: Any) -> None:
        address = Address(options["host"], options["port"])
        try:
            up(Request(data=Path(os.path.realpath(options["data_dir"])), address=address, demo=options["demo"]))
        except LaunchError as error:
            raise CommandError(str(error)) from error
