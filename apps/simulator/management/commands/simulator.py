"""`manage.py simulator`: the providers' wire protocols on a local port."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.simulator import options, server


class Command(BaseCommand):
    help = "Speak the providers' wire protocols on a local port, with pictures drawn here and no money spent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        options.add_arguments(parser)

    def handle(self, *args: Any, **values: Any) -> None:
        server.run(options.from_namespace(values))
