"""Who may use Pressroom: users and the API tokens they hold."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from apps.accounts.audit import AuditEntry as AuditEntry
from apps.accounts.sessions import BrowserSession as BrowserSession

TOKEN_PREFIX = "pr_live_"  # noqa: S105 - the public prefix that secret scanners look for
SCOPES = {
    "read": "See jobs, rows and images",
    "write": "Create, change and cancel",
    "urgent": "Use priority 10",
}
STAFF_SCOPES = {"urgent"}


class User(AbstractUser):
    """A person. Staff see everyone's work in the admin and on the desk; what they may change there is given by name.

    Everyone's work is jobs, prompts, pictures and calls. E-mail addresses are not: see UserAdmin.
    """

    queue_quota = models.PositiveIntegerField(
        null=True, blank=True, help_text="Jobs that may wait at once; 0: no limit; empty: as the settings say"
    )
    picture_quota_mb = models.PositiveIntegerField(
        "picture quota (MB)",
        null=True,
        blank=True,
        help_text="Megabytes that the pictures may take; 0: no limit; empty: as the settings say",
    )

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"

    def save(self, *args: Any, **kwargs: Any) -> None:
        from apps.accounts import access  # it works with the models of this module

        set_anew = getattr(self, "_password", None) is not None and self.pk is not None
        super().save(*args, **kwargs)
        if set_anew:
            access.password_was_set(self)
        access.look_again(self.pk)  # dismissed, or staff no more

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return super().has_perm(perm, obj) or (
            self._looks_after_the_desk and perm.partition(".")[2].startswith("view_")
        )

    def has_module_perms(self, app_label: str) -> bool:
        return super().has_module_perms(app_label) or self._looks_after_the_desk

    @property
    def _looks_after_the_desk(self) -> bool:
        return self.is_active and self.is_staff


def scopes_for(user: User) -> dict[str, str]:
    """The scopes that this person may give a token, with what they allow."""
    return {scope: words for scope, words in SCOPES.items() if user.is_staff or scope not in STAFF_SCOPES}


def hash_token(token: str) -> str:
    """SHA-256 suffices: the token is 32 random bytes, not a password."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> Self:
        return self.filter(revoked_at=None).exclude(expires_at__lte=timezone.now()).filter(user__is_active=True)


class ApiToken(models.Model):
    """A bearer token of one user: hashed at rest, shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, help_text="The first characters, to recognise it by.")
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "accounts_api_token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


def create_token(
    *, user: User, name: str, scopes: tuple[str, ...] = ("read", "write"), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret text, which is not kept and cannot be shown again.

    ValueError for a scope that this person may not give.
    """
    if refused := set(scopes) - scopes_for(user).keys():
        raise ValueError(f"{user} may not give a token the scope {', '.join(sorted(refused))}: it is for staff.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:16],
        token_hash=hash_token(secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """The usable token with this secret; its last use is written at most once a minute."""
    token = ApiToken.objects.usable().select_related("user").filter(token_hash=hash_token(secret)).first()
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def is_token(secret: str) -> bool:
    """Whether there is or was such a token; who shows one that has ended does not guess."""
    return ApiToken.objects.filter(token_hash=hash_token(secret)).exists()


class Budget(models.Model):
    """The most that may be spent in a day or a month (UTC), in US dollars.

    Without an owner it counts everybody's spending, without a provider that at every provider: so one row may bound
    one person, one provider, one person at one provider, or the whole desk.
    """

    class Period(models.TextChoices):
        DAY = "day", "a day"
        MONTH = "month", "a month"

    owner = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="budgets", help_text="Empty: everybody together"
    )
    provider = models.CharField(max_length=20, blank=True, help_text="xai, wavespeed; empty: all providers together")
    period = models.CharField(max_length=5, choices=Period.choices, default=Period.DAY)
    amount_usd = models.DecimalField("amount (USD)", max_digits=18, decimal_places=10)

    class Meta:
        db_table = "accounts_budget"
        constraints = [
            models.UniqueConstraint(fields=["owner", "provider", "period"], name="budget_once", nulls_distinct=False),
            models.CheckConstraint(condition=models.Q(amount_usd__gte=0), name="budget_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_usd:.2f} USD {self.get_period_display()}, {self.owner or 'everybody'} at {self.provider or 'all providers'}"
