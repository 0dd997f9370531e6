"""Every route of the web application."""

from django.contrib import admin
from django.urls import include, path

from apps.api import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("apps.api.urls")),
    path("media/", include("apps.api.media_urls")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("", include("apps.pages.urls")),
]
