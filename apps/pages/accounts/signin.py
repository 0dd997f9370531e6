"""Sign in and out, for the pages and the administration alike."""

import os

from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from apps.accounts.backend import SignInRefused

# In the order the wall is laid, four in a row; no two of a kind touch.
WALL = (
    *("img/space-1.jpg", "img/table-1.jpg", "img/launch-1.jpg", "img/cat-1.jpg"),
    *("img/cat-2.jpg", "img/space-4.jpg", "img/table-2.jpg", "img/launch-2.jpg"),
    *("img/launch-3.jpg", "img/cat-3.jpg", "img/space-5.jpg", "img/table-3.jpg"),
    *("img/table-4.jpg", "img/launch-4.jpg", "img/cat-4.jpg", "img/space-2.jpg"),
    *("img/space-6.jpg", "img/cat-5.jpg", "img/table-1.jpg", "img/launch-1.jpg"),
    *("img/cat-6.jpg", "img/space-3.jpg", "img/launch-2.jpg", "img/table-2.jpg"),
)


def demo_password() -> str:
    """Shown only where whoever runs the desk wrote it into the environment, and the demo user is there."""
    password = os.environ.get("PRESSROOM_DEMO_PASSWORD", "")
    exists = password and get_user_model().objects.filter(username="demo", is_active=True).exists()
    return password if exists else ""


class SignInForm(AuthenticationForm):
    """`refused`: the password was not looked at; the page says when to try again."""

    refused: SignInRefused | None = None

    def clean(self) -> dict[str, object]:
        try:
            return super().clean()
        except SignInRefused as refused:
            self.refused = refused
            raise self.get_invalid_login_error() from refused


class SignIn(LoginView):
    template_name = "signin.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_invalid(form)
        if form.refused:
            response.status_code = 503 if form.refused.busy else 429
            response["Retry-After"] = str(form.refused.seconds)
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(**kwargs, wall=WALL, demo_password=demo_password())


class SignOut(LogoutView):
    pass


@require_GET
def admin_door(request: HttpRequest) -> HttpResponse:
    """The administration has no door of its own: one place to sign in, and plain words for who may not enter."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return redirect(f"{reverse('signin')}?{urlencode({'next': request.GET.get('next') or reverse('admin:index')})}")
