"""To look at, never to change: the ledger and what the governor knows. Quick with millions of calls.

Breakers, which can be closed by hand, are in apps/desk/admin_holds.py.
"""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.desk_admin import DeskAdmin
from apps.providers.models import Call, Earmark, Place, Upload
from apps.providers.registry import PROVIDERS

COUNTED_ROWS = 1000


class CappedPaginator(Paginator):
    """Counts to a thousand and no further: an exact count would walk over the whole table."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:COUNTED_ROWS].count()  # type: ignore[attr-defined]


class ReadOnlyAdmin(DeskAdmin):
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ProviderFilter(admin.SimpleListFilter):
    """From what we know: asking the table for its distinct values would read all of it."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(provider.name, provider.title) for provider in PROVIDERS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Search takes a job's number, a call's id or the provider's own id, whole: each has an index."""

    list_display = (
        "created_at", "provider", "purpose", "model_asked", "state", "job_id", "attempt", "cost_usd", "error_code",
    )  # fmt: skip
    list_filter = (ProviderFilter, "state", "resent", "late")
    search_fields = ("provider_id",)
    search_help_text = "Job number, call id or provider's id"
    ordering = ("-created_at",)
    sortable_by = ("created_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Call], search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        term = search_term.strip()
        return (queryset.filter(**_exactly(term)) if term else queryset), False


def _exactly(term: str) -> dict[str, object]:
    if term.isascii() and term.isdigit() and len(term) < 19:
        return {"job_id": int(term)}
    # Without its hyphens an id may be either: providers write 32 hex digits.
    if "-" in term:
        try:
            return {"pk": UUID(term)}
        except ValueError:
            pass
    # The index on the provider's id begins with the provider.
    return {"provider__in": list(PROVIDERS), "provider_id": term}


@admin.register(Place)
class PlaceAdmin(ReadOnlyAdmin):
    list_display = ("provider", "kind", "number", "free_at")
    list_filter = ("provider", "kind")
    ordering = ("provider", "kind", "number")


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "base", "digest")
    search_fields = ("=digest",)
    ordering = ("-created_at",)


@admin.register(Earmark)
class EarmarkAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "owner", "provider", "held_usd", "wanted_usd", "blocked_by")
    list_filter = (ProviderFilter,)
    list_select_related = ("owner",)
    ordering = ("-job_id",)
