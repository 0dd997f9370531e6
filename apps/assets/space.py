"""How much room a person's pictures take, and how much they may: what they brought, and what was made for them."""

from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Sum

from apps.accounts.models import User
from apps.core.database import Locks
from apps.core.errors import Problem

NEARLY_FULL = 0.8


@dataclass(frozen=True)
class Space:
    """In bytes; `limit` 0: no limit."""

    used: int
    limit: int

    @property
    def left(self) -> int | None:
        return max(self.limit - self.used, 0) if self.limit else None

    @property
    def words(self) -> str:
        return f"{in_words(self.used)} of {in_words(self.limit)}" if self.limit else in_words(self.used)

    @property
    def nearly_full(self) -> bool:
        return self.limit > 0 and self.used >= NEARLY_FULL * self.limit

    @property
    def warning(self) -> str:
        """What to tell its owner before it is full; empty while there is room."""
        if not self.nearly_full:
            return ""
        if self.used >= self.limit:
            return f"Your pictures take all of their {in_words(self.limit)}: no more can be brought. {WHAT_TO_DO}"
        return f"Your pictures take {self.words}. {WHAT_TO_DO}"


WHAT_TO_DO = "Delete rows or workspaces you no longer need, or ask whoever runs this desk for more room."


def space_of(owner: User) -> Space:
    used = sum(model._base_manager.filter(owner=owner).aggregate(sum=Sum("bytes"))["sum"] or 0 for model in _kept())
    own = owner.picture_quota_mb
    return Space(used, (settings.PICTURE_QUOTA_MB if own is None else own) * 1_000_000)


def admit(owner: User, more: int) -> None:
    """In the transaction that adds a picture of `more` bytes: Problem 409 `no_room_left` when it does not fit.

    Results that were paid for are stored without asking: they count, and what is brought afterwards is refused.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("the answer holds only as long as the lock: ask inside a transaction")
    with connection.cursor() as cursor:
        # One upload of a person at a time, so that two do not take the same room.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [Locks.SPACE, owner.pk])
    space = space_of(owner)
    if space.limit and space.used + more > space.limit:
        raise no_room(space, more)


def no_room(space: Space, more: int) -> Problem:
    return Problem(
        409,
        "no_room_left",
        f"Your pictures take {space.words}, and this one has {in_words(more)}.",
        WHAT_TO_DO,
        {"usedBytes": space.used, "limitBytes": space.limit},
    )


def in_words(count: int) -> str:
    """Bytes as people say them, in powers of ten: 950 kB, 1.2 GB."""
    amount, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.1f} {units[0]}" if amount < 10 and units[0] in {"GB", "TB"} else f"{amount:.0f} {units[0]}"


def _kept() -> list[type[models.Model]]:
    """The models of pictures that belong to somebody: those with a file, its size and an owner."""
    needed = {"file", "bytes", "owner"}
    return [model for model in apps.get_models() if needed <= {field.name for field in model._meta.concrete_fields}]
