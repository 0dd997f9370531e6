"""`manage.py create_token USER`: prints a new API token and nothing else on standard output."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import SCOPES, User, create_token


class Command(BaseCommand):
    help = "Make an API token for a user and print it once. It is stored hashed and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), help="default: read and write")

    def handle(self, *, username: str, name: str, scope: list[str] | None, **_options: object) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}. Make one with `manage.py createsuperuser`.")
        try:
            token, secret = create_token(user=user, name=name, scopes=tuple(scope or ("read", "write")))
        except ValueError as error:
            raise CommandError(str(error)) from error
        record(via=AuditEntry.Via.COMMAND, action="make token", subject=str(token), detail={"owner": username})
        self.stdout.write(secret)
