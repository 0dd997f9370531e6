"""What keeps jobs from starting, in the admin: holds and breakers, with their causes, and how to let go."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.desk_admin import DeskAdmin
from apps.desk import operations
from apps.jobs.models import Hold
from apps.providers.causes import cause_of
from apps.providers.models import Breaker
from apps.providers.registry import provider_name


@admin.register(Hold)
class HoldAdmin(DeskAdmin):
    """To delete one is to lift it, and for a provider every other hold and breaker of it; `manage.py queue` sets them."""

    list_display = ("scope", "key", "reason", "why", "until", "set_by", "set_at", "note")
    list_filter = ("scope",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    @admin.display(description="what is the matter")
    def why(self, hold: Hold) -> str:
        cause = cause_of(hold.cause, hold.key)
        return f"{cause.said} {cause.desk}" if hold.cause else "–"

    def delete_model(self, request: HttpRequest, obj: Hold) -> None:
        operations.lift(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        for hold in queryset:
            operations.lift(hold)


@admin.register(Breaker)
class BreakerAdmin(DeskAdmin):
    list_display = ("provider", "model", "state", "why", "open_until", "calls", "failures", "openings")
    list_filter = ("provider", "state")
    ordering = ("provider", "model")
    actions = ("release",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Breaker | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Breaker | None = None) -> bool:
        return False

    @admin.display(description="what is the matter")
    def why(self, breaker: Breaker) -> str:
        cause = cause_of(breaker.reason, breaker.provider)
        return f"{cause.said} {cause.desk}" if breaker.reason else "–"

    def has_release_permission(self, request: HttpRequest) -> bool:
        """The right that lifting a hold asks for: it does that too."""
        return request.user.has_perm("jobs.delete_hold")

    @admin.action(description="Release: it is put right, call it at once", permissions=["release"])
    def release(self, request: HttpRequest, breakers: QuerySet[Any]) -> None:
        names = sorted(set(breakers.values_list("provider", flat=True)))
        for name in names:
            operations.call_again(name)
        self.message_user(
            request, f"{', '.join(map(provider_name, names))}: called at once, and nobody is held for it."
        )
