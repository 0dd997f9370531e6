"""`manage.py serve`: pages and API."""

import asyncio
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.wsgi import get_wsgi_application

from apps.front.server import run

log = structlog.get_logger(__name__)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Command(BaseCommand):
    help = "Serves pages and the API until it is told to end."
    requires_system_checks: list[str] = []  # `check` makes them; a start should not wait for it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not settings.HTTPS and host not in LOOPBACK:
            log.warning(
                "passwords_in_clear", host=host, action="Put a TLS proxy in front, and set SITE_URL to its address."
            )
        asyncio.run(run(get_wsgi_application(), host=host, port=port))
