"""Who did what, and when: an entry for every act by which somebody steers the desk, or changes who may.

Entries are added and never changed: the table's own trigger refuses it (migration 0004).
"""

import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
from django.db import models

if TYPE_CHECKING:
    from apps.accounts.models import User

log = structlog.get_logger(__name__)


class AuditEntry(models.Model):
    """One act. The actor is kept as a name and a number, so that it outlives the account."""

    class Via(models.TextChoices):
        ADMIN = "admin", "administration"
        API = "api", "API"
        PAGE = "page", "page"
        COMMAND = "command", "command line"
        CELERY = "celery", "celery control"

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150, help_text="A user's name; of the machine, for the command line")
    user_id = models.BigIntegerField(null=True, blank=True)
    via = models.CharField(max_length=10, choices=Via.choices)
    action = models.CharField(max_length=100)
    subject = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "accounts_audit"
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["actor", "-id"], name="audit_by_actor")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"


def record(
    *,
    via: str,
    action: str,
    subject: str = "",
    user: "User | None" = None,
    actor: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Adds an entry, in the caller's transaction. Without a user or an actor it is whoever runs this process."""
    name = user.get_username() if user else actor or machine_user()
    AuditEntry.objects.create(
        actor=name[:150],
        user_id=user.pk if user else None,
        via=via,
        action=action[:100],
        subject=subject[:300],
        detail=dict(detail or {}),
    )
    log.info("audit", actor=name, via=str(via), action=action, subject=subject)


def machine_user() -> str:
    """Who runs this process on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a passwd entry
        return "unknown"
