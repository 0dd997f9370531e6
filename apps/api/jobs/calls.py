"""`POST /api/calls/{id}/settle`: a person's word on a paid call whose outcome nobody knows."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.audit import AuditEntry, record
from apps.api.authentication import user_of
from apps.api.serializers import CamelSerializer
from apps.api.views import Endpoint, documented, read
from apps.orders.decisions import DECISIONS, SETTLE, settle_call

_CALL_ID = "1d6c4f3e-9a1b-4a77-b0c5-3f6f1e8a9c41"


class SettleSerializer(CamelSerializer):
    decision = serializers.ChoiceField(DECISIONS)
    prediction_id = serializers.CharField(
        required=False, default="", max_length=100, allow_blank=True, help_text="With adopt: WaveSpeed's id of the task"
    )


class SettledSerializer(CamelSerializer):
    call_id = serializers.UUIDField()
    state = serializers.CharField(help_text="accepted, lost, or unknown when it is sent again")
    job_id = serializers.UUIDField(allow_null=True, help_text="The new job, when it is sent again")


class SettleCall(Endpoint):
    @documented(
        "Settle a call of unknown outcome",
        description=(
            "`adopt`: the task with `predictionId` is this call's; its result is fetched and kept. `never_arrived`: "
            "there is no such task, and nothing was charged. `send_again`: a new job, at the risk of paying twice. Until "
            "it is settled the call counts as its estimate in budgets and spending; so only staff who may change calls "
            "say `never_arrived` or `send_again` (403 `may_not_settle`). Who may, settles everybody's."
        ),
        body=SettleSerializer,
        answers={200: SettledSerializer},
        example={"decision": "never_arrived"},
        shown={"callId": _CALL_ID, "state": "lost", "jobId": None},
        problems=(404, 409),
        operation_id="calls_settle",
    )
    def post(self, request: Request, call_id: UUID) -> Response:
        given = read(SettleSerializer, request)
        user = user_of(request)
        settled = settle_call(user=user, call_id=call_id, everybody=user.has_perm(SETTLE), **given)
        record(via=AuditEntry.Via.API, user=user, action="settle call", subject=str(call_id), detail=given)
        job_id = settled.job.uid if settled.job else None
        return Response({"callId": settled.call.pk, "state": settled.call.state, "jobId": job_id})
