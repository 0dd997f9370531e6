"""Sign in and out."""

import os

from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView, LogoutView

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


class SignIn(LoginView):
    template_name = "signin.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(**kwargs, wall=WALL, demo_password=demo_password())


class SignOut(LogoutView):
    pass
