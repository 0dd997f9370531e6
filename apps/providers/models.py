"""The ledger of paid calls: a row is committed before a request leaves."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class CallState(models.TextChoices):
    INTENT = "intent", "about to be sent, or sent and not answered"
    ACCEPTED = "accepted", "taken by the provider, result pending"
    SUCCEEDED = "succeeded", "result received"
    FAILED = "failed", "refused or failed at the provider"
    UNKNOWN = "unknown", "outcome unknown: a person must settle it"
    LOST = "lost", "known not to exist at the provider"


class Call(models.Model):
    """One paid request to a provider.

    It knows its job and attempt by id only. `purpose` says what it was for (chat, submit, …), `provider_id` is the
    provider's own id (a prediction, a response). `inputs` is what a lookup needs to recognise it, `result` what came
    back (output URLs, the text). `estimate_usd` is the most it was expected to cost when it left, None when nobody
    could say; `cost_usd` what it did cost, exact. `cost_source` says where that is from: reported or quoted by the
    provider, priced by our table, refunded, or estimated: the provider named no figure, and what was set aside counts.
    `resent` marks a cheap call that was sent again after an unknown outcome; `late` a result that came after cancel.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job_id = models.BigIntegerField(null=True)
    attempt = models.IntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="calls", db_index=False)
    provider = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20)
    product = models.CharField(max_length=12)
    model_asked = models.CharField(max_length=100)
    model_answered = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.INTENT)
    provider_id = models.CharField(max_length=100, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    inputs = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    usage = models.JSONField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    estimate_usd = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    cost_source = models.CharField(max_length=10, blank=True)
    resent = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    look_after = models.DateTimeField(null=True, editable=False, help_text="Reconcile asks about it no earlier")

    class Meta:
        db_table = "providers_call"
        indexes = [
            models.Index(fields=["job_id", "created_at"], name="call_of_job"),
            # reconcile: what is not settled, oldest first
            models.Index(
                fields=["created_at"], name="call_open", condition=Q(state__in=["intent", "accepted", "unknown"])
            ),
            # spend by day
            models.Index(fields=["provider", "created_at"], name="call_spend"),
            models.Index(fields=["owner", "created_at"], name="call_owner_spend"),
            # the admin: newest first, by state, and the marks of possible double charges
            models.Index(fields=["-created_at"], name="call_newest"),
            models.Index(fields=["state", "-created_at"], name="call_state_newest"),
            models.Index(fields=["-created_at"], name="call_marked", condition=Q(resent=True) | Q(late=True)),
        ]
        constraints = [
            # a prediction belongs to one call: an adopted one cannot be adopted twice
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="call_provider_id_once", condition=~Q(provider_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.purpose} {self.state}"


class Spend(models.Model):
    """What the calls of one day (UTC) come to, by person, provider and product: budgets and the spending page read this and
    not the calls. It is kept by a trigger, in the transaction that begins or settles a call, and outlives the calls.

    `usd` counts a call as its cost; while that is not told and the call is not known to be free, as its estimate.
    `unpriced`: how many of them nobody has told the cost of.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", db_index=False)
    provider = models.CharField(max_length=20)
    product = models.CharField(max_length=12)
    day = models.DateField()
    calls = models.IntegerField(default=0)
    unpriced = models.IntegerField(default=0)
    usd = models.DecimalField(max_digits=18, decimal_places=10, default=0)

    class Meta:
        db_table = "providers_spend"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "provider", "product", "day"], name="spend_once", nulls_distinct=False
            ),
        ]
        indexes = [
            # A provider's budget, the desk's budget. Without the sums: a row changes with every call of its day, and where no
            # index holds what changes, it changes in its page.
            models.Index(fields=["day", "provider"], name="spend_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.provider}: {self.usd} USD"


class Earmark(models.Model):
    """Money set aside for a live job, so that two jobs cannot both count on the last of a budget.

    `held_usd` is what its next calls may still cost; a call whose cost is known takes it out of here. A job that has to
    wait holds nothing: `wanted_usd` is what it needs, `blocked_by` the budget that has not enough left, for people.
    The row goes with the statement that ends the job.
    """

    job_id = models.BigIntegerField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    provider = models.CharField(max_length=20)
    held_usd = models.DecimalField(max_digits=18, decimal_places=10, default=0)
    wanted_usd = models.DecimalField(max_digits=18, decimal_places=10, default=0)
    blocked_by = models.JSONField(null=True)

    class Meta:
        db_table = "providers_earmark"
        indexes = [
            # set aside: what is held already, of one owner or at one provider
            models.Index(fields=["owner", "provider"], name="earmark_owner", include=["held_usd"]),
            models.Index(fields=["provider"], name="earmark_provider", include=["held_usd"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(held_usd__gte=0, wanted_usd__gte=0), name="earmark_not_negative"),
            models.CheckConstraint(
                condition=Q(held_usd=0) | Q(blocked_by__isnull=True), name="earmark_holds_nothing_while_it_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.held_usd} USD"


class Upload(models.Model):
    """A picture that a provider holds for us. `base` is the provider's address, so that a simulator's are apart."""

    base = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    url = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "providers_upload"
        constraints = [models.UniqueConstraint(fields=["base", "digest"], name="upload_once")]
        # prune: what the provider has deleted by now
        indexes = [models.Index(fields=["created_at"], name="upload_age")]

    def __str__(self) -> str:
        return self.url


class ClockSkew(models.Model):
    """Seconds a provider's clock was ahead of the database's within one hour, at least and at most; see skew.py."""

    provider = models.CharField(max_length=20)
    hour = models.DateTimeField()
    least = models.FloatField()
    most = models.FloatField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "providers_clock_skew"
        constraints = [models.UniqueConstraint(fields=["provider", "hour"], name="clock_skew_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.least:+.1f} to {self.most:+.1f} s"


class PlaceKind(models.TextChoices):
    CALL = "call", "a call under way"
    REQUEST = "request", "a request of the last minute"


class Place(models.Model):
    """One of the places a provider's limit leaves us: free again at `free_at`, whoever took it and died.

    A limit of n is n rows. A place for a call is freed when the call ends, or at its deadline; a place for a request
    one minute after it was taken, so that no minute ever sees more than n.
    """

    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=PlaceKind.choices)
    number = models.IntegerField()
    free_at = models.DateTimeField()
    holder = models.UUIDField(null=True)

    class Meta:
        db_table = "providers_place"
        # take: the place that has been free the longest
        indexes = [models.Index(fields=["provider", "kind", "free_at"], name="place_free")]
        constraints = [models.UniqueConstraint(fields=["provider", "kind", "number"], name="place_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.number}"


class BreakerState(models.TextChoices):
    CLOSED = "closed", "calls go through"
    OPEN = "open", "no calls"
    HALF_OPEN = "half_open", "one call to try"


class Breaker(models.Model):
    """What a model of a provider did lately. The model "" stands for the whole provider: a refused key, no credits.

    `calls` and `failures` count since `window_started_at`. Open lasts until `open_until`; then one caller at a time
    may try, until `probe_until`. `openings` in a row make the next one longer.
    """

    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=BreakerState.choices, default=BreakerState.CLOSED)
    reason = models.CharField(max_length=40, blank=True)
    window_started_at = models.DateTimeField()
    calls = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    openings = models.IntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    probe_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "providers_breaker"
        constraints = [
            models.UniqueConstraint(fields=["provider", "model"], name="breaker_once"),
            models.CheckConstraint(
                condition=Q(state="closed") | Q(open_until__isnull=False), name="breaker_open_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.model} {self.state}"
