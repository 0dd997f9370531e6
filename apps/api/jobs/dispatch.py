"""`POST /api/dispatch` and its older name: one dispatch pass now, for a scheduler outside or for staff."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import CronAuthentication, SessionAuthentication, TokenAuthentication, record_staff
from apps.api.permissions import CronOrStaff
from apps.api.views import Endpoint, documented
from apps.jobs.dispatch import dispatch

CRON_FIRST = [CronAuthentication, TokenAuthentication, SessionAuthentication]
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


class Dispatch(Endpoint):
    authentication_classes = CRON_FIRST
    permission_classes = [CronOrStaff]

    @documented(
        "Dispatch now",
        description="What it did, as counts. Safe to run twice or at once.",
        answers={200: COUNTS},
        shown=examples.DISPATCHED,
        operation_id="dispatch",
    )
    def post(self, request: Request) -> Response:
        record_staff(request, "dispatch")
        return Response(dispatch())


class PromptProcessor(Dispatch):
    @documented(
        "Dispatch now (older name)",
        answers={200: COUNTS},
        shown=examples.DISPATCHED,
        operation_id="cron_prompt_processor",
    )
    def post(self, request: Request) -> Response:
        return super().post(request)
