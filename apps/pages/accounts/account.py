"""The account page: who one is here, the browsers one is signed in with, one's password, and one's API tokens."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import access, sessions
from apps.accounts.audit import AuditEntry, record
from apps.accounts.backend import SignInRefused
from apps.accounts.models import ApiToken, User, create_token, scopes_for
from apps.assets.space import space_of
from apps.core.text import one_line
from apps.pages.accounts.passwords import PasswordForm
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

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"]).strip()
        if not name:
            raise forms.ValidationError("Give it a name, to know it by later.")
        return name

    def __init__(self, user: User, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.fields["scopes"].choices = list(scopes_for(user).items())  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    form = TokenForm(reader(request), *([request.POST] if request.method == "POST" else []))
    if request.method == "POST" and form.is_valid():
        return _made(request, form.cleaned_data)
    return account_page(request, form=form, status=422 if form.errors else 200)


def _made(request: HttpRequest, chosen: dict[str, object]) -> HttpResponse:
    days = chosen["days"]
    ends = timezone.now() + timedelta(days=int(str(days))) if days else None
    scopes = tuple(str(scope) for scope in chosen["scopes"])  # type: ignore[attr-defined]
    token, secret = create_token(user=reader(request), name=str(chosen["name"]), scopes=scopes, expires_at=ends)
    _record(request, "make token", str(token))
    return account_page(request, secret=secret, secret_name=token.name)


def account_page(
    request: HttpRequest,
    *,
    form: TokenForm | None = None,
    password_form: PasswordForm | None = None,
    status: int = 200,
    **shown: object,
) -> HttpResponse:
    user, now = reader(request), timezone.now()
    tokens = list(ApiToken.objects.filter(user=user).order_by("revoked_at", "-created_at"))
    tokens.sort(key=lambda token: token.revoked_at is not None)
    for token in tokens:
        token.ended = token.expires_at is not None and token.expires_at <= now  # type: ignore[attr-defined]
    usable = [token for token in tokens if not token.revoked_at and not getattr(token, "ended", False)]
    context = {
        "form": form or TokenForm(user),
        "password_form": password_form or PasswordForm(request),
        "tokens": tokens,
        "usable": usable,
        "space": space_of(user),
        "browsers": sessions.of_user(user),
        "this_session": request.session.session_key,
        "docs": True,
        **shown,
    }
    response = render(request, "account/account.html", context, status=status)
    response["Cache-Control"] = "no-store"  # it may hold a secret
    return response


@login_required
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":  # the address of the form, opened or reloaded
        return redirect("account")
    form = PasswordForm(request, request.POST)
    if not form.is_valid():
        return _unchanged(request, form)
    revoke_tokens = form.cleaned_data["revoke_tokens"]
    try:
        access.change_own_password(request, reader(request), form.cleaned_data["new"], revoke_tokens=revoke_tokens)
    except SignInRefused as refused:  # others took the turn to hash between the old password and the new one
        form.refuse(refused)
        return _unchanged(request, form)
    _record(request, "change own password", "tokens revoked" if revoke_tokens else "tokens kept")
    tokens = "Your API tokens are revoked." if revoke_tokens else "Your API tokens go on."
    messages.info(request, f"Your password is changed. Every other browser is signed out. {tokens}")
    return redirect("account")


def _unchanged(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    response = account_page(request, password_form=form, status=form.status)
    if form.refused:
        response["Retry-After"] = str(form.refused.seconds)
    return response


@login_required
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    chosen = reader(request).browser_sessions.filter(pk=session_id)
    ended = get_object_or_404(chosen)
    sessions.delete_sessions(chosen)
    access.look_again(reader(request).pk)
    _record(request, "sign out a browser", str(ended))
    messages.info(request, f"{ended.browser} is signed out.")
    return redirect("account")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    ended = access.end_sessions(reader(request), but=request.session.session_key)
    _record(request, "sign out everywhere else", f"{ended} browsers")
    messages.info(request, "Every other browser is signed out.")
    return redirect("account")


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=token_id, user=reader(request))
    access.revoke(ApiToken.objects.filter(pk=token.pk))
    _record(request, "revoke token", str(token))
    messages.info(request, f"Token “{token.name}” is revoked. Programs that use it are refused from now on.")
    return redirect("account")


@login_required
@require_POST
def revoke_all_tokens(request: HttpRequest) -> HttpResponse:
    revoked = access.revoke(reader(request).api_tokens.all())
    _record(request, "revoke all tokens", f"{revoked} tokens")
    messages.info(request, "All your tokens are revoked. Programs that use them are refused from now on.")
    return redirect("account")


def _record(request: HttpRequest, action: str, subject: str) -> None:
    record(via=AuditEntry.Via.PAGE, user=reader(request), action=action, subject=subject)
