"""The buttons for a call of unknown outcome, on the ledger's own page in the admin."""

from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.decorators import action

from apps.accounts.desk_admin import record_act
from apps.accounts.models import User
from apps.core.errors import Problem
from apps.orders.decisions import SETTLE, settle_call
from apps.providers.admin import CallAdmin
from apps.providers.models import Call

admin.site.unregister(Call)


class SettleForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[
            ("adopt", "It is this task: fetch its result"),
            ("never_arrived", "It never arrived: nothing was charged"),
            ("send_again", "Send it again, and perhaps pay twice"),
        ],
        widget=forms.RadioSelect,
    )
    prediction_id = forms.CharField(required=False, max_length=100, label="The task's id at WaveSpeed")


@admin.register(Call)
class SettleableCallAdmin(CallAdmin):
    actions_detail = ["settle"]

    @action(description="Settle an unknown outcome", url_path="settle", permissions=["settle"])
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One form with three answers; the service decides whether they fit."""
        form = SettleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._settle(request, UUID(object_id), form.cleaned_data)
            return redirect(reverse("admin:providers_call_change", args=[object_id]))
        context = self.admin_site.each_context(request) | {"form": form, "title": "Settle a call"}
        return render(request, "admin/call_settle.html", context)

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """To settle decides about money, so to look is not enough."""
        return request.user.has_perm(SETTLE)

    def _settle(self, request: HttpRequest, call_id: UUID, answers: dict[str, str]) -> None:
        assert isinstance(request.user, User)
        try:
            settled = settle_call(user=request.user, call_id=call_id, everybody=True, **answers)
            record_act(request, "settle call", str(call_id), **answers)
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.action}")
        else:
            messages.success(request, f"Settled: {settled.call.get_state_display()}.")
