"""The account page: who one is here, and the API tokens of one's programs."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.models import ApiToken, User, create_token, scopes_for
from apps.pages.shell import reader


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, error_messages={"required": "Give it a name, to know it by later."})
    scopes = forms.MultipleChoiceField(
        initial=["read", "write"],
        error_messages={"required": "Choose at least one thing it may do."},
    )
    days = forms.ChoiceField(
        choices=[("90", "90 days"), ("365", "1 year"), ("30", "30 days"), ("", "Never")], required=False, initial="90"
    )

    def __init__(self, user: User, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.fields["scopes"].choices = list(scopes_for(user).items())  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    form = TokenForm(reader(request), *([request.POST] if request.method == "POST" else []))
    if request.method == "POST" and form.is_valid():
        return _made(request, form.cleaned_data)
    return _page(request, form, status=422 if form.errors else 200)


def _made(request: HttpRequest, chosen: dict[str, object]) -> HttpResponse:
    days = chosen["days"]
    ends = timezone.now() + timedelta(days=int(str(days))) if days else None
    scopes = tuple(str(scope) for scope in chosen["scopes"])  # type: ignore[attr-defined]
    token, secret = create_token(user=reader(request), name=str(chosen["name"]), scopes=scopes, expires_at=ends)
    return _page(request, TokenForm(reader(request)), secret=secret, secret_name=token.name)


def _page(request: HttpRequest, form: TokenForm, *, status: int = 200, **shown: object) -> HttpResponse:
    now = timezone.now()
    tokens = list(ApiToken.objects.filter(user=request.user).order_by("revoked_at", "-created_at"))  # type: ignore[misc]
    tokens.sort(key=lambda token: token.revoked_at is not None)
    for token in tokens:
        token.ended = token.expires_at is not None and token.expires_at <= now  # type: ignore[attr-defined]
    usable = sum(1 for token in tokens if not token.revoked_at and not getattr(token, "ended", False))
    context = {"form": form, "tokens": tokens, "usable": usable, "docs": True, **shown}
    response = render(request, "account/account.html", context, status=status)
    response["Cache-Control"] = "no-store"  # it may hold a secret
    return response


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    messages.info(request, f"Token “{token.name}” is revoked. Programs that use it are refused from now on.")
    return redirect("account")
