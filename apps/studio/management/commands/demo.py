"""`manage.py demo`: makes the demo user and workspace; prints one line of JSON: username, password, url."""

import json
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.studio.demo import USERNAME, make_demo


class Command(BaseCommand):
    help = "Make the demo user and a workspace of real photographs. Safe to run again."

    def handle(self, **_options: object) -> None:
        password = os.environ.get("PRESSROOM_DEMO_PASSWORD") or _kept_password()
        make_demo(password)
        self.stdout.write(json.dumps({"username": USERNAME, "password": password, "url": settings.SITE_URL}))


def _kept_password() -> str:
    """Made once for each data directory, so that the sign-in printed at one start works at the next."""
    path = Path(settings.DATA_DIR) / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text().strip()
