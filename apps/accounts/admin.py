"""Users and their tokens in the admin. A token's secret is shown once, where it is made, and never here."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.models import ApiToken, Budget, User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "email", "is_staff", "is_active", "last_login")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Queue", {"fields": ("queue_quota",)}))


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    list_display = ("name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix", "user__username")
    exclude = ("token_hash",)
    readonly_fields = ("user", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: "admin.ModelAdmin") -> None:
        revoked = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())  # type: ignore[attr-defined]
        self.message_user(request, f"{revoked} revoked. They answer 401 from now on.")


@admin.register(Budget)
class BudgetAdmin(ModelAdmin):
    """A raised budget is felt at the next dispatch: what waited for it goes on by itself."""

    list_display = ("__str__", "owner", "provider", "period", "amount_usd")
    list_filter = ("period", "provider")
    list_select_related = ("owner",)
    autocomplete_fields = ("owner",)
