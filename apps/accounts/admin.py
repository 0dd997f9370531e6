"""Users, their tokens and what was done, in the admin. A token's secret is shown once, where it is made, never here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts import access
from apps.accounts.audit import AuditEntry
from apps.accounts.desk_admin import DeskAdmin
from apps.accounts.models import ApiToken, Budget, User

admin.site.unregister(Group)
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, DeskAdmin):
    """Who may change users may not make themselves or others mightier, nor touch who may do more: a superuser may.

    Staff who may only look see names; e-mail addresses are for those who look after accounts.
    """

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "email", "is_staff", "is_active", "last_login")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Limits", {"fields": ("queue_quota", "picture_quota_mb")}))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return () if _is_superuser(request) else POWERS

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "email" or self._sees_addresses(request)]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        names = super().get_search_fields(request)
        return [name for name in names if name != "email" or self._sees_addresses(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list that is filtered by the beginning of an address tells it letter by letter."""
        hidden = lookup.partition("__")[0] == "email" and not self._sees_addresses(request)
        return not hidden and super().lookup_allowed(lookup, value, request)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self._sees_addresses(request):
            return fieldsets
        return [
            (title, {**shown, "fields": tuple(name for name in shown["fields"] if name not in ("email", "password"))})
            for title, shown in fieldsets
        ]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        if not all(_may_touch(request, user) for user in queryset):
            raise PermissionDenied
        super().delete_queryset(request, queryset)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not self.has_change_permission(request, self.get_object(request, id)):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def _sees_addresses(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Whose password somebody sets, in whose name they may act: so nobody touches an account that may do more than they."""
    if user is None or _is_superuser(request):
        return True
    theirs = user.get_all_permissions() if user.is_staff else set()
    return not user.is_superuser and theirs <= request.user.get_all_permissions()


@admin.register(ApiToken)
class ApiTokenAdmin(DeskAdmin):
    list_display = ("name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix", "user__username")
    exclude = ("token_hash",)
    readonly_fields = ("user", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        revoked = access.revoke(queryset)
        self.message_user(request, f"{revoked} revoked. They answer 401 from now on.")


@admin.register(Budget)
class BudgetAdmin(DeskAdmin):
    """A raised budget is felt at the next dispatch: what waited for it goes on by itself."""

    list_display = ("__str__", "owner", "provider", "period", "amount_usd")
    list_filter = ("period", "provider")
    list_select_related = ("owner",)
    autocomplete_fields = ("owner",)


@admin.register(AuditEntry)
class AuditEntryAdmin(DeskAdmin):
    """Who did what: to look at, for everybody who looks after the desk."""

    list_display = ("at", "actor", "via", "action", "subject")
    list_filter = ("via",)
    search_fields = ("actor", "action", "subject")
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
