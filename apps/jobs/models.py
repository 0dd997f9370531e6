"""The queue's tables. Only lifecycle.py writes a job's state; the database refuses impossible rows."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.jobs.querysets import JobQuerySet
from apps.jobs.states import FINAL, AfterChildren, Outcome, Status


class Job(models.Model):
    """One piece of queued work.

    `turn` and `seq` order jobs of one priority; `attempt` counts claims; `fence` grows each time a worker takes
    the job (claim or resume), and a worker may write only while it holds the current fence. A job in processing is
    either held by a worker (`lease_until`) or parked while a provider works (`wake_at`).
    A parent (`after_children`) runs nothing while it waits for its children. `open_children` counts those that have not ended,
    and one more until its plan is carried out (`planned_at`); `failed_children` those that ended failed or cancelled.
    `subject` names what the job is for, such as `row:<uuid>`; events carry it so that a page knows what to refresh.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    seq = models.BigIntegerField()
    turn = models.BigIntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs", db_index=False)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children", db_index=False)
    waits_for = models.ForeignKey("self", models.SET_NULL, null=True, related_name="dependants", db_index=False)
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retries", db_index=False)

    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    aged_at = models.DateTimeField(null=True)
    run_after = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)

    open_children = models.IntegerField(default=0, db_default=0)
    failed_children = models.IntegerField(default=0, db_default=0)
    after_children = models.CharField(
        max_length=4, blank=True, default="", db_default="", choices=AfterChildren.choices
    )
    slot = models.CharField(max_length=64, null=True)
    plan = models.JSONField(null=True)

    attempt = models.IntegerField(default=0)
    fence = models.IntegerField(default=0)
    priority = models.SmallIntegerField(default=5)
    failures = models.SmallIntegerField(default=0)
    crashes = models.SmallIntegerField(default=0)
    max_retries = models.SmallIntegerField(default=3)

    status = models.CharField(max_length=12, choices=Status.choices)
    lane = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    provider = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=64, blank=True)
    stage = models.CharField(max_length=24, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    dedupe_key = models.CharField(max_length=200, null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_action = models.TextField(blank=True)
    error_remedy = models.CharField(max_length=12, blank=True, db_default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        db_table = "jobs_job"
        indexes = [
            # claim: the best queued job of a lane
            models.Index(
                F("lane"), F("priority").desc(), F("turn"), F("seq"), name="job_ready", condition=Q(status="queued")
            ),
            # enqueue: the owner's last turn; estimates: the owner's own line
            models.Index(
                F("lane"),
                F("owner"),
                F("priority").desc(),
                F("turn"),
                F("seq"),
                name="job_line",
                condition=Q(status="queued"),
            ),
            # claim: the heads of what may start, when the front of the lane's line may not
            models.Index(
                F("lane"),
                F("provider"),
                F("owner"),
                F("priority").desc(),
                F("turn"),
                F("seq"),
                name="job_heads",
                condition=Q(status="queued"),
            ),
            # claim: how many run; enqueue: the turn being served; rescue walks it
            models.Index(fields=["lane", "priority", "turn"], name="job_running", condition=Q(status="processing")),
            models.Index(fields=["lane", "owner"], name="job_running_owner", condition=Q(status="processing")),
            # resume: parked jobs that are due
            models.Index(fields=["lane", "wake_at"], name="job_parked", condition=Q(wake_at__isnull=False)),
            # fund: the first in line of each owner and provider
            models.Index(
                F("owner"),
                F("provider"),
                F("priority").desc(),
                F("turn"),
                F("seq"),
                name="job_short_of_money",
                condition=Q(status="scheduled", reason="budget"),
            ),
            # promote
            models.Index(fields=["run_after"], name="job_due", condition=Q(status="scheduled")),
            # release
            models.Index(fields=["waits_for"], name="job_dependants", condition=Q(status="waiting")),
            # the chain of retries; prune, whose foreign keys look for whoever names the row
            models.Index(fields=["retry_of"], name="job_retries", condition=Q(retry_of__isnull=False)),
            models.Index(fields=["waits_for"], name="job_waited_for", condition=Q(waits_for__isnull=False)),
            models.Index(fields=["parent"], name="job_children", condition=Q(parent__isnull=False)),
            # cancel of a parent; the nets below families
            models.Index(
                fields=["parent"], name="job_open_children", condition=Q(parent__isnull=False, finished_at__isnull=True)
            ),
            models.Index(fields=["status"], name="job_parents", condition=~Q(after_children="")),
            # quotas: a family counts once
            models.Index(
                fields=["kind", "owner"],
                name="job_pending_heads",
                condition=Q(parent__isnull=True, status__in=["queued", "waiting", "scheduled"]),
            ),
            models.Index(fields=["owner", "-id"], name="job_owner_list"),
            # counts of what waits, of one kind or of one owner's
            models.Index(
                fields=["kind", "owner"], name="job_pending", condition=Q(status__in=["queued", "waiting", "scheduled"])
            ),
            # the jobs of one row, newest first
            models.Index(fields=["subject", "-id"], name="job_subject"),
            # prune: a family goes with its parent
            models.Index(
                fields=["status", "finished_at"],
                name="job_prunable",
                condition=Q(finished_at__isnull=False, parent__isnull=True),
            ),
            # failed ones by error, for the desk
            models.Index(fields=["status", "finished_at"], name="job_finished", condition=Q(finished_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="job_finished_exactly_when_final",
                condition=Q(finished_at__isnull=False, status__in=FINAL)
                | (Q(finished_at__isnull=True) & ~Q(status__in=FINAL)),
            ),
            models.CheckConstraint(
                name="job_held_or_parked_exactly_while_processing",
                condition=Q(status="processing", lease_until__isnull=False, wake_at__isnull=True)
                | Q(status="processing", lease_until__isnull=True, wake_at__isnull=False)
                | (~Q(status="processing") & Q(lease_until__isnull=True, wake_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_run_after_exactly_while_scheduled",
                condition=Q(status="scheduled", run_after__isnull=False)
                | (~Q(status="scheduled") & Q(run_after__isnull=True)),
            ),
            models.CheckConstraint(name="job_priority_1_to_10", condition=Q(priority__gte=1, priority__lte=10)),
            models.CheckConstraint(
                name="job_attempt_bounds",
                condition=Q(
                    crashes__lte=3, failures__lte=F("max_retries") + 1, attempt__gte=F("failures") + F("crashes")
                ),
            ),
            models.CheckConstraint(
                name="job_cancel_mark_only_on_started",
                condition=Q(cancel_requested_at__isnull=True) | Q(started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="job_error_exactly_when_failed",
                condition=(Q(status="failed") & ~Q(error_code="")) | (~Q(status="failed") & Q(error_code="")),
            ),
            models.UniqueConstraint(
                fields=["dedupe_key"],
                name="job_one_live_per_key",
                condition=Q(dedupe_key__isnull=False, finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="job_parent_waits_for_its_children_alone",
                condition=Q(after_children="", open_children=0, failed_children=0, planned_at__isnull=True)
                | (~Q(after_children="") & Q(open_children__gte=0, waits_for__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_parent_that_ends_is_no_child", condition=~Q(after_children="end") | Q(parent__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["parent", "slot"],
                name="job_one_per_slot",
                condition=Q(parent__isnull=False, slot__isnull=False, retry_of__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["retry_of"],
                name="job_one_live_retry",
                condition=Q(retry_of__isnull=False, finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def parked(self) -> bool:
        return self.wake_at is not None


class Attempt(models.Model):
    """One finished try of a job; the try that runs now is the job's own `attempt` and `started_at`."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempts", db_index=False)
    number = models.IntegerField()
    kind = models.CharField(max_length=20)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    worker = models.CharField(max_length=100, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        db_table = "jobs_attempt"
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="attempt_once")]
        indexes = [
            # estimates: how long the last completed ones of a kind took
            models.Index(fields=["kind", "-finished_at"], name="attempt_durations", condition=Q(outcome="completed")),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of job {self.job_id}"


class JobEvent(models.Model):
    """One change of a job's state: the audit trail, the timeline, and what the live stream is fed from."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events", db_index=False, db_constraint=False)
    owner_id = models.BigIntegerField()
    lane = models.CharField(max_length=20)
    subject = models.CharField(max_length=64, blank=True)
    old = models.CharField(max_length=12, blank=True)
    new = models.CharField(max_length=12)
    stage = models.CharField(max_length=24, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    attempt = models.IntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        db_table = "jobs_event"
        indexes = [
            models.Index(fields=["job", "id"], name="event_timeline"),
            # the live stream resumes after Last-Event-ID
            models.Index(fields=["owner_id", "id"], name="event_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.old or '–'} → {self.new}"


class Lane(models.Model):
    """A class of work with its own concurrency. `limit` bounds jobs in processing, parked ones included; null: none."""

    name = models.CharField(max_length=20, primary_key=True)
    limit = models.PositiveIntegerField(null=True, blank=True, help_text="Jobs that may run at once; empty: no limit")
    owner_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Jobs one person may have running at once"
    )

    class Meta:
        db_table = "jobs_lane"

    def __str__(self) -> str:
        return self.name


class Hold(models.Model):
    """Something that keeps queued jobs from starting: a paused lane, a rate limit, an open breaker, a person's word.

    The one place that says until when a provider may not be called, but for its breakers (apps/providers).
    `key` is the lane's or provider's name or the owner's id; `until` null: until somebody lifts it. `cause` is the code
    of what made a provider be held (apps/providers/causes.py), empty when a person did it; `note` is that person's.
    """

    class Scope(models.TextChoices):
        LANE = "lane"
        PROVIDER = "provider"
        OWNER = "owner"

    scope = models.CharField(max_length=10, choices=Scope.choices)
    key = models.CharField(max_length=40)
    reason = models.CharField(max_length=24)
    until = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True, db_default="")
    note = models.CharField(max_length=200, blank=True)
    set_by = models.CharField(max_length=150, blank=True)
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "jobs_hold"
        constraints = [models.UniqueConstraint(fields=["scope", "key", "reason"], name="hold_once")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}: {self.reason}"


class Worker(models.Model):
    """A worker that has been seen, and how many jobs it can hold at once.

    `alive_at` is the database's clock at its last sign of life.
    """

    name = models.CharField(max_length=100, primary_key=True)
    lanes = models.JSONField(default=list)
    processes = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    alive_at = models.DateTimeField()

    class Meta:
        db_table = "jobs_worker"

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """How many jobs of an owner and kind ended so, up to the mark. Kept by figures.py, outside the jobs' transactions."""

    owner_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=12)
    count = models.BigIntegerField()

    class Meta:
        db_table = "jobs_tally"
        constraints = [models.UniqueConstraint(fields=["kind", "owner_id", "status"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} {self.status}"


class TallyMark(models.Model):
    """One row: everything that ended before `upto` is in the tally."""

    upto = models.DateTimeField()

    class Meta:
        db_table = "jobs_tally_mark"

    def __str__(self) -> str:
        return self.upto.isoformat()
