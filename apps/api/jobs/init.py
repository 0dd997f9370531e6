"""`/api/init`: is everything up, and make it so."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import Cron, record_staff
from apps.api.jobs.dispatch import CRON_FIRST
from apps.api.permissions import StaffWritesOthersRead
from apps.api.serializers import CamelSerializer
from apps.api.views import Endpoint, documented
from apps.desk import vitals
from apps.jobs.dispatch import dispatch
from apps.jobs.lanes import ensure_lanes
from apps.jobs.schedule import ensure_schedule


class VitalSerializer(CamelSerializer):
    name = serializers.ChoiceField(choices=["database", "redis", "workers", "beat", "storage", "keys", "providers"])
    ok = serializers.BooleanField()
    detail = serializers.CharField(required=False, help_text="Only for staff and the scheduler")
    action = serializers.CharField(required=False, help_text="What to do; empty when it is ok. Only for them too")


class VitalsSerializer(CamelSerializer):
    ok = serializers.BooleanField(help_text="Whether all of them are")
    checks = VitalSerializer(many=True)


class MadeReadySerializer(VitalsSerializer):
    scheduled = serializers.IntegerField(help_text="Periodic tasks that are there and switched on")
    dispatched = serializers.DictField(child=serializers.IntegerField())


class Init(Endpoint):
    """Anybody signed in may look; only the scheduler's secret and staff may act."""

    authentication_classes = CRON_FIRST
    permission_classes = [StaffWritesOthersRead]

    @documented(
        "Is everything up?",
        answers={200: VitalsSerializer},
        shown={"ok": False, "checks": [examples.NOT_READY]},
        operation_id="init_read",
    )
    def get(self, request: Request) -> Response:
        detailed = isinstance(request.auth, Cron) or request.user.is_staff
        return Response(_seen(detailed=detailed))

    @documented(
        "Make it ready",
        description="Schedules and lanes present, one dispatch pass. Doing it again changes nothing.",
        answers={200: MadeReadySerializer},
        shown={"ok": True, "checks": [examples.READY], "scheduled": 2, "dispatched": examples.DISPATCHED},
        operation_id="init_apply",
    )
    def post(self, request: Request) -> Response:
        record_staff(request, "make ready")
        ensure_lanes()
        return Response({"scheduled": ensure_schedule(), "dispatched": dispatch(), **_seen(detailed=True)})


def _seen(*, detailed: bool) -> dict[str, Any]:
    checks = vitals.look()
    shown = VitalSerializer(checks, many=True).data if detailed else [_briefly(check) for check in checks]
    return {"ok": all(check.ok for check in checks), "checks": shown}


def _briefly(check: vitals.Vital) -> dict[str, object]:
    """The rest names machines, paths and settings, which are the operators' business."""
    return {"name": check.name, "ok": check.ok}
