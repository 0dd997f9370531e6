"""What every page of the administration has in common: whatever is done there is written down."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, cast

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db.models import Model, QuerySet, TextField
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.accounts.audit import AuditEntry, record
from apps.accounts.models import User
from apps.core.text import one_line, seen

MOST_NAMED = 100


class DeskAdmin(ModelAdmin):
    """Base of every ModelAdmin here. An action that names no permission takes that to change: to look is not to act."""

    def _filter_actions_by_permissions(self, request: HttpRequest, actions: Iterable[Any]) -> list[Any]:
        allowed = super()._filter_actions_by_permissions(request, actions)
        may_change = self.has_change_permission(request)
        return [one for one in allowed if may_change or hasattr(one[0], "allowed_permissions")]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What is typed here is text like any other: without what cannot be seen."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.CharField):
            tidied = seen if isinstance(db_field, TextField) else one_line
            read = field.to_python
            field.to_python = lambda value: tidied(text) if (text := read(value)) else text  # type: ignore[method-assign]
        return field

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, f"add {obj._meta.verbose_name}", [obj], changed=message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, f"change {obj._meta.verbose_name}", [obj], changed=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        _record(request, f"delete {self.opts.verbose_name}", queryset)
        return super().log_deletions(request, queryset)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """400 for chosen ids that cannot be ids of this table: PostgreSQL would refuse the question with an error."""
        key: Any = self.opts.pk
        while key.remote_field:  # a table whose key is another's
            key = key.target_field
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                key.clean(chosen, None)
            except ValidationError as error:
                raise SuspiciousOperation("A chosen id is none.") from error
            if "\0" in chosen:
                raise SuspiciousOperation("A chosen id has a NUL in it.")
        return super().response_action(request, queryset)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only what this person may do, each written down. Deleting is: by log_deletions, after it was confirmed."""
        actions = super().get_actions(request)
        return {
            name: (act if name == "delete_selected" else _recorded(name, act), name, description)
            for name, (act, name, description) in actions.items()
        }


def record_act(request: HttpRequest, action: str, subject: str, **detail: object) -> None:
    """An act on the administration that is no list action and no form of its own model."""
    record(via=AuditEntry.Via.ADMIN, user=cast(User, request.user), action=action, subject=subject, detail=detail)


def _recorded(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """Written down before it is done: an act that dies half-way has its entry too."""

    @wraps(act)
    def recorded(model_admin: DeskAdmin, request: HttpRequest, chosen: QuerySet[Any]) -> Any:
        _record(request, f"{name} {model_admin.opts.verbose_name}", chosen)
        return act(model_admin, request, chosen)

    return recorded


def _record(request: HttpRequest, action: str, things: Iterable[Model], **detail: object) -> None:
    named = [f"{thing.pk}: {thing}"[:200] for thing in list(things)[:MOST_NAMED]]
    subject = named[0] if len(named) == 1 else f"{len(named)} of them"
    record_act(request, action, subject, **({"chosen": named} if len(named) != 1 else {}) | detail)


class ReadOnly(DeskAdmin):
    """State lives in the job engine: nothing here may be added, changed or removed."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Undeletable(DeskAdmin):
    """What has jobs is deleted on its page or by the API, which cancel them first."""

    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
