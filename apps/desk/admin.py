"""The queue in the admin: jobs to look at, with what can be done to them; lanes whose limits can be changed; holds.

Quick with millions of jobs: nothing is counted, filters know their values from the settings, and search takes only
what has an index, whole.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import TabularInline
from unfold.paginator import InfinitePaginator

from apps.accounts.desk_admin import DeskAdmin
from apps.accounts.models import User
from apps.core.errors import Problem
from apps.desk import admin_holds, admin_schedule  # noqa: F401 - registers
from apps.desk.estimates import describe
from apps.jobs import lanes, lifecycle
from apps.jobs.models import Attempt, Job, JobEvent, Lane, Worker
from apps.jobs.services import cancel_job, retry_job
from apps.jobs.wakeups import wake_after_commit
from apps.providers.models import Call

MOST_CALLS = 100
BIGGEST_ID = 2**63 - 1


class ReadOnly:
    """To look at: state belongs to lifecycle.py."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Uncounted(ReadOnly, DeskAdmin):
    """A long table."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()


def _known_values(parameter: str, values: Callable[[], Iterable[str]]) -> type[admin.SimpleListFilter]:
    """A filter whose choices need no look at the table."""

    class KnownValues(admin.SimpleListFilter):
        title = parameter
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{parameter: self.value()}) if self.value() else queryset

    return KnownValues


LaneFilter = _known_values("lane", lambda: settings.LANES)
KindFilter = _known_values("kind", lambda: settings.KINDS)


class AttemptInline(ReadOnly, TabularInline):
    model = Attempt
    fields = ("number", "outcome", "started_at", "finished_at", "worker", "error_code", "error_message")
    readonly_fields = fields
    ordering = ("number",)
    extra = 0
    tab = True


class EventInline(ReadOnly, TabularInline):
    model = JobEvent
    verbose_name_plural = "story"
    fields = ("at", "old", "new", "stage", "reason", "attempt")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0
    tab = True


@admin.register(Job)
class JobAdmin(Uncounted):
    list_display = (
        "uid", "kind", "lane", "owner", "priority", "status", "reason", "stage", "attempt", "error_code", "created_at",
    )  # fmt: skip
    list_filter = ("status", LaneFilter, KindFilter)
    list_select_related = ("owner",)
    search_fields = ("uid",)
    search_help_text = "A job's id or number, its subject (row:…) or its owner's name, whole"
    actions = ("retry", "cancel", "requeue")
    inlines = (AttemptInline, EventInline)
    fieldsets = (
        (None, {"fields": ("uid", "kind", "owner", "subject", "status", "outlook", "stage", "worker")}),
        ("Order", {"fields": ("lane", "priority", "turn", "seq", "aged_at")}),
        ("Tries", {"fields": ("attempt", "failures", "crashes", "max_retries", "provider", "retried", "dedupe_key")}),
        ("Error", {"fields": ("error_code", "error_message", "error_action", "error_remedy")}),
        (
            "Times",
            {
                "fields": (
                    ("created_at", "queued_at", "run_after", "started_at"),
                    ("lease_until", "wake_at", "cancel_requested_at", "finished_at"),
                )
            },
        ),
        ("Calls", {"fields": ("calls",)}),
    )
    readonly_fields = ("outlook", "retried", "calls")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        term = search_term.strip()
        return (queryset.filter(**_exactly(term)) if term else queryset), False

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    @admin.display(description="why it waits")
    def outlook(self, job: Job) -> str:
        told = describe([job]).get(job.pk)
        if told is None or (told.position is None and not told.reason):
            return "–"
        wait = "not known" if told.p50 is None else f"{told.p50:.0f}–{told.p90:.0f} s"
        why = " ".join([told.reason or "in line", str(told.facts.get("message") or "")]).strip()
        return f"position {told.position}, wait {wait}, {why}"

    @admin.display(description="tries before and after")
    def retried(self, job: Job) -> str:
        """The chain: the job this one is a retry of, and those that try it again."""
        chain = [("tries again", job.retry_of)] if job.retry_of else []
        chain += [("tried again by", retry) for retry in job.retries.order_by("id")[:20]]
        links = ((words, _page_of(other), other.uid, other.status) for words, other in chain)
        return format_html_join(", ", '{} <a href="{}">{}</a> ({})', links) or "–"

    @admin.display(description="calls")
    def calls(self, job: Job) -> str:
        rows = Call.objects.filter(job_id=job.pk).order_by("created_at")[:MOST_CALLS]
        told = format_html_join(
            "",
            '<tr><td>{}</td><td>{}</td><td>{} {}</td><td><a href="{}">{}</a></td><td>{}</td><td>{}</td></tr>',
            (
                (
                    call.attempt,
                    call.created_at,
                    call.provider,
                    call.purpose,
                    reverse("admin:providers_call_change", args=[call.pk]),
                    call.state,
                    call.error_code or "–",
                    "–" if call.cost_usd is None else f"${call.cost_usd.normalize():f}",
                )
                for call in rows
            ),
        )
        head = "<tr><th>try</th><th>at</th><th>call</th><th>state</th><th>error</th><th>cost</th></tr>"
        return format_html("<table>" + head + "{}</table>", told) if told else "none"

    @admin.action(description="Try again", permissions=["steer"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._each(request, jobs, retry_job, "tried again")

    @admin.action(description="Cancel", permissions=["steer"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._each(request, jobs, cancel_job, "cancelled, or asked to stop")

    @admin.action(description="Run now what waits for its time", permissions=["steer"])
    def requeue(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        count = lifecycle.requeue(list(jobs.values_list("pk", flat=True)))
        self.message_user(request, f"{count} put back in line.")

    def _each(self, request: HttpRequest, jobs: QuerySet[Job], verb: Callable[..., object], done: str) -> None:
        count, refused = 0, {}
        for job in jobs:
            try:
                verb(user=request.user, uid=job.uid, everybody=True)
                count += 1
            except Problem as problem:
                refused[problem.detail] = problem.action
        self.message_user(request, f"{count} {done}.")
        for detail, action in refused.items():
            self.message_user(request, f"{detail} {action}", messages.WARNING)


def _exactly(term: str) -> dict[str, object]:
    if term.isascii() and term.isdigit() and int(term) <= BIGGEST_ID:
        return {"pk": int(term)}
    if ":" in term:
        return {"subject": term}
    try:
        return {"uid": UUID(term)}
    except ValueError:
        # Two statements, so that the second walks the owner's own index.
        return {"owner_id__in": list(User.objects.filter(username=term).values_list("pk", flat=True))}


def _page_of(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


@admin.register(Attempt)
class AttemptAdmin(Uncounted):
    list_display = ("job_id", "number", "kind", "outcome", "started_at", "finished_at", "worker", "error_code")
    raw_id_fields = ("job",)


@admin.register(JobEvent)
class JobEventAdmin(Uncounted):
    list_display = ("at", "job_id", "lane", "old", "new", "stage", "reason", "attempt")
    raw_id_fields = ("job",)


@admin.register(Lane)
class LaneAdmin(DeskAdmin):
    """The limits; each worker obeys within a second."""

    list_display = ("name", "limit", "owner_limit")
    list_editable = ("limit", "owner_limit")
    readonly_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Lane | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Lane, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        lanes.forget_limits()
        wake_after_commit(obj.name)


@admin.register(Worker)
class WorkerAdmin(ReadOnly, DeskAdmin):
    list_display = ("name", "lanes", "processes", "started_at", "alive_at")
    ordering = ("-alive_at",)
