"""What the API remembers: the answers to requests that are repeated, and the webhooks that came."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone


class IdempotencyKey(models.Model):
    """One request that creates work, named by its client.

    While it runs, `holder` may finish it until `lease_until` (the database's clock); then a repeat may take it over,
    and the first holder can no longer commit. `made` are the jobs, written in the transaction that made them; `status`
    and `body` the answer about them, written as soon as it is built. Whoever takes over a request that died in between
    makes nothing again and answers about the same jobs.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_index=False)
    route = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of path and canonical body")
    holder = models.UUIDField()
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    made = ArrayField(models.BigIntegerField(), null=True)
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
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]  # idempotency.sweep

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class WebhookReceived(models.Model):
    """A webhook that was taken. Signatures are good for five minutes; for that long and more, none is taken twice."""

    KEPT_FOR = timedelta(days=1)

    webhook_id = models.CharField(max_length=200, primary_key=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "api_webhook_received"

    def __str__(self) -> str:
        return self.webhook_id

    @classmethod
    def remember(cls, webhook_id: str) -> bool:
        """Whether it is new. Two at once: one of them is."""
        cls.objects.filter(received_at__lt=timezone.now() - cls.KEPT_FOR).delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO api_webhook_received VALUES (%s, clock_timestamp()) ON CONFLICT DO NOTHING",
                [webhook_id[:200]],
            )
            return cursor.rowcount == 1
