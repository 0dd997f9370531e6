"""`manage.py demo`: makes the demo user with something to press in each product; prints one line of JSON: username, password, url, administrator."""

import json
import secrets
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.accounts.models import User
from apps.listings.demo import make_projects
from apps.studio.demo import USERNAME, known_password, make_demo


class Command(BaseCommand):
    help = "Make the demo user, a workspace of real photographs and products to list. Safe to run again."

    def handle(self, **_options: object) -> None:
        password = known_password() or _new_password()
        make_projects(make_demo(password))
        administrator = User.objects.filter(is_superuser=True, is_active=True).exists()
        told = {"username": USERNAME, "password": password, "url": settings.SITE_URL, "administrator": administrator}
        self.stdout.write(json.dumps(told))


def _new_password() -> str:
    """Made once for each data directory, so that the sign-in printed at one start works at the next."""
    path = Path(settings.DATA_DIR) / "demo-password"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(9))
    return known_password()
