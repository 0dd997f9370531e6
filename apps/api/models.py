"""The answers that are given again when a client repeats a request."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class IdempotencyKey(models.Model):
    """One request that creates work, named by its client.

    While it runs, `holder` may finish it until `lease_until` (the database's clock); then a repeat may take it over,
    and the first holder can no longer commit. `status` and `body` are the answer, written in the work's transaction.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_index=False)
    route = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of path and body")
    holder = models.UUIDField()
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "api_idempotency_key"
        constraints = [
            models.UniqueConstraint(fields=["user", "route", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                name="idempotency_answer_exactly_with_status",
                condition=(Q(status__isnull=True) & Q(body=b"")) | (Q(status__isnull=False) & ~Q(body=b"")),
            ),
        ]
        # a user's expired keys are swept when the user sends the next one
        indexes = [models.Index(fields=["user", "created_at"], name="idempotency_sweep")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
