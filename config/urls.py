"""Every route of the web application, but for /health/…, which a middleware answers (apps/api/health.py)."""

from django.contrib import admin
from django.urls import include, path

from apps.pages.accounts.signin import admin_door

urlpatterns = [
    path("admin/login/", admin_door, name="admin-door"),
    path("admin/", admin.site.urls),
    path("api/", include("apps.api.urls")),
    path("media/", include("apps.api.media_urls")),
    path("", include("apps.pages.urls")),
]
