"""`GET /api/events`: the live stream has a process of its own; this sends clients there."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from apps.api.views import Endpoint, documented
from apps.core.errors import Problem
from apps.core.hosts import live_url_for


class Events(Endpoint):
    @documented(
        "Live events",
        description="Server-Sent Events of your own jobs; `Last-Event-ID` resumes. The answer is a redirect to the "
        "process that streams. Polling the jobs gives the same facts.",
        answers={307: OpenApiResponse(description="The address of the stream, in Location")},
        parameters=[
            OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER),
            OpenApiParameter("after", str, description="The same, for those who cannot send a header"),
            OpenApiParameter("all", {"type": "string", "enum": ["1"]}, description="Everybody's; for staff"),
        ],
        operation_id="events",
    )
    def get(self, request: Request) -> HttpResponse:
        if not settings.LIVE_URL:
            raise Problem(
                503,
                "live_away",
                "No process for live events is set up here.",
                "Poll /api/jobs, or set LIVE_URL.",
                headers={"Retry-After": "60"},
            )
        query = urlencode(request.query_params.dict())
        response = HttpResponse(status=307)
        response["Location"] = f"{live_url_for(request.get_host())}/api/events" + (f"?{query}" if query else "")
        response["Cache-Control"] = "no-store"
        return response
