"""Reads of the queue that more than one room needs. Nothing here changes a state."""

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.jobs.states import LIVE, PENDING, Status

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.jobs.models import Job  # noqa: F401


class JobQuerySet(models.QuerySet["Job"]):
    def of(self, user: "User") -> Self:
        """The user's own jobs."""
        return self.filter(owner_id=user.pk)

    def live(self) -> Self:
        return self.filter(status__in=LIVE)

    def pending(self) -> Self:
        return self.filter(status__in=PENDING)

    def processing(self) -> Self:
        return self.filter(status=Status.PROCESSING)
