"""The states of a job, and what the outside calls them."""

from django.conf import settings
from django.db import models


class Status(models.TextChoices):
    WAITING = "waiting", "waiting for another job"
    QUEUED = "queued", "queued"
    SCHEDULED = "scheduled", "scheduled for later"
    PROCESSING = "processing", "processing"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    SKIPPED = "skipped", "skipped"


FINAL = (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.SKIPPED)
PENDING = (Status.WAITING, Status.QUEUED, Status.SCHEDULED)
LIVE = (*PENDING, Status.PROCESSING)


def public_status(status: str) -> str:
    """What the API says: waiting and scheduled are kept apart only for the claim's sake."""
    return Status.QUEUED if status in PENDING else status


class Reason(models.TextChoices):
    """Why a job does not run now. Those for which a person must do something are the kinds' own (`known_reasons`)."""

    DEPENDENCY = "dependency"
    CHILDREN = "children"
    LANE_PAUSED = "lane_paused"
    PROVIDER_HELD = "provider_held"
    OWNER_HELD = "owner_held"
    OWNER_LIMIT = "owner_limit"
    LANE_LIMIT = "lane_limit"
    RATE_LIMITED = "rate_limited_until"
    BREAKER_OPEN = "breaker_open_until"
    BUDGET = "budget"
    BACKOFF = "backoff_until"
    SCHEDULED = "scheduled_for"
    NO_WORKER = "no_worker"


class AfterChildren(models.TextChoices):
    """What becomes of a parent when the last of its children has ended; empty for a job that is no parent."""

    END = "end", "ends: completed when all of them completed or were skipped, else failed"
    RUN = "run", "runs, and sees for itself how they ended"


def known_reasons() -> list[str]:
    """The engine's reasons, then those that kinds of job bring with them (config/lanes.py)."""
    return [*Reason.values, *dict.fromkeys(reason for kind in settings.KINDS.values() for reason in kind.reasons)]


class Outcome(models.TextChoices):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    BREAKER = "breaker"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"
    CANCELLED = "cancelled"


# Tries that a held provider or a used-up budget turned away: they use up nothing.
TURNED_AWAY = (Outcome.RATE_LIMITED, Outcome.BREAKER)
# Tries that use up one of the job's.
USED_UP = (Outcome.COMPLETED, Outcome.FAILED, Outcome.RETRY, Outcome.CANCELLED)


class Stage(models.TextChoices):
    """The finer detail of a live job, for people. Kinds of job have stages of their own beside these."""

    READING = "reading", "reading the images"
    SUBMITTING = "submitting", "submitting"
    WAITING_FOR_PROVIDER = "waiting_for_provider", "waiting for the provider"
    SAVING = "saving", "saving"
    SETTLING = "settling", "settling an unknown outcome"
