"""Sign in and out."""

import os

from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView, LogoutView

# In the order the wall is laid, four in a row; no two of a kind touch.
WALL = tuple(
    f"img/{name}.jpg"
    for name in (
        "space-1 table-1 launch-1 cat-1 cat-2 space-4 table-2 launch-2 launch-3 cat-3 space-5 table-3 "
        "table-4 launch-4 cat-4 space-2 space-6 cat-5 table-1 launch-1 cat-6 space-3 launch-2 table-2"
    ).split()
)


def demo_password() -> str:
    """Shown only where whoever runs the desk wrote it into the environment, and the demo user is there."""
    password = os.environ.get("PRESSROOM_DEMO_PASSWORD", "")
    exists = password and get_user_model().objects.filter(username="demo", is_active=True).exists()
    return password if exists else ""


class SignIn(LoginView):
    template_name = "signin.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(**kwargs, wall=WALL, demo_password=demo_password())


class SignOut(LogoutView):
    pass
