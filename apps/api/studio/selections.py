"""`/api/workspaces/{id}/generate`, `/cancel`, `/remove` and `/restore`: one request for a selection of rows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import urgent_allowed, user_of
from apps.api.idempotency import Claim, in_progress, keyed
from apps.api.jobs.jobs import MAX_COUNT
from apps.api.jobs.priorities import PRIORITY
from apps.api.serializers import CamelSerializer, Id, WholeNumber, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.core.errors import Problem
from apps.jobs.services import allow_priority
from apps.studio.deletion import bring_rows_back, put_rows_away
from apps.studio.late import still_paid
from apps.studio.selections import MOST_ROWS, Outcome, cancel_rows, each_row
from apps.studio.services import Generated, generate_images, generated


class SelectionSerializer(CamelSerializer):
    row_ids = serializers.ListField(
        child=Id(), min_length=1, max_length=MOST_ROWS, help_text=f"Of this workspace, at most {MOST_ROWS}"
    )


class GenerateRowsSerializer(SelectionSerializer):
    use_ai_prompt = YesOrNo(help_text="As for one row: true: a model writes each prompt first")
    count = WholeNumber(
        min_value=1, max_value=MAX_COUNT, allow_null=True, default=None, help_text="null: as many as the workspace says"
    )
    priority = PRIORITY()


class RowProblemSerializer(CamelSerializer):
    """Why nothing was made for a row: what a request for it alone would have been refused with."""

    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    action = serializers.CharField(allow_blank=True)


class GeneratedRowSerializer(CamelSerializer):
    row_id = serializers.UUIDField()
    job_ids = serializers.ListField(child=serializers.UUIDField())
    prompt_job_id = serializers.UUIDField(allow_null=True)
    problem = RowProblemSerializer(allow_null=True)


class GeneratedRowsSerializer(CamelSerializer):
    queued = serializers.IntegerField(help_text="Rows whose images are in the queue")
    left_out = serializers.IntegerField(help_text="Rows with a problem")
    results = GeneratedRowSerializer(many=True)


class CancelledRowSerializer(CamelSerializer):
    row_id = serializers.UUIDField()
    cancelled = serializers.IntegerField(help_text="Jobs that are over")
    requested = serializers.IntegerField(help_text="Jobs that run and stop at their next step")
    problem = RowProblemSerializer(allow_null=True)


class CancelledRowsSerializer(CamelSerializer):
    cancelled = serializers.IntegerField()
    requested = serializers.IntegerField()
    results = CancelledRowSerializer(many=True)


class RowIdsSerializer(CamelSerializer):
    row_ids = serializers.ListField(child=serializers.UUIDField())


class RemovedRowsSerializer(RowIdsSerializer):
    still_paid = serializers.IntegerField(
        help_text="Orders that were sent and go on: they are paid, and their pictures kept beside their jobs for 30 days"
    )


class GenerateRows(Endpoint):
    @documented(
        "Generate images for many rows",
        description="Carried on to its end also when you do not wait. Each row is asked for by itself: the answer says "
        "its jobs, or why it was left out (`row_busy`: images of it are under way). With an Idempotency-Key a repeat "
        "goes on where a request that died has stopped.",
        body=GenerateRowsSerializer,
        answers={200: GeneratedRowsSerializer},
        problems=(404, 409, 429),
        parameters=[IDEMPOTENCY_KEY],
        example={"rowIds": [examples.ROW_ID, examples.OTHER_ROW_ID], "useAiPrompt": True, "priority": 8},
        shown=examples.GENERATED_ROWS,
        operation_id="rows_generate",
    )
    @keyed
    def post(self, request: Request, claim: Claim, workspace_id: UUID) -> Response:
        asked, user = read(GenerateRowsSerializer, request), user_of(request)
        allow_priority(asked["priority"], urgent_allowed=urgent_allowed(request))
        row_ids = asked.pop("row_ids")

        def make(row_id: UUID) -> dict[str, Any]:
            part = claim.part(str(row_id))
            if isinstance(part, bytes):
                return dict(orjson.loads(part))
            made: list[dict[str, Any]] = []

            def within(job_ids: Sequence[int]) -> None:
                made[:] = [_jobs_of(generated(job_ids))]
                part.keep(Response(made[0], status=200))

            try:
                generate_images(user=user, row_id=row_id, unless_busy=True, within=within, **asked)
            except BaseException:
                part.release()
                raise
            return made[0]

        outcomes = each_row(user=user, workspace_id=workspace_id, row_ids=row_ids, make=make)
        if any(outcome.problem and outcome.problem.code == in_progress().code for outcome in outcomes):
            raise in_progress()  # of a request that died a moment ago: its right to a row still runs
        nothing: dict[str, Any] = {"jobIds": [], "promptJobId": None}
        results = [_shown(outcome, outcome.made or nothing) for outcome in outcomes]
        left_out = sum(1 for outcome in outcomes if outcome.problem)
        response = Response({"queued": len(results) - left_out, "leftOut": left_out, "results": results})
        claim.keep(response)
        return response


class CancelRows(Endpoint):
    @documented(
        "Cancel everything of many rows",
        description="What waits is over; what runs stops at the next safe point.",
        body=SelectionSerializer,
        answers={200: CancelledRowsSerializer},
        problems=(404,),
        example={"rowIds": [examples.ROW_ID]},
        shown=examples.CANCELLED_ROWS,
        operation_id="rows_cancel",
    )
    def post(self, request: Request, workspace_id: UUID) -> Response:
        asked = read(SelectionSerializer, request)
        outcomes = cancel_rows(user=user_of(request), workspace_id=workspace_id, row_ids=asked["row_ids"])
        results = []
        for outcome in outcomes:
            made = outcome.made
            counts = {"cancelled": made.cancelled if made else 0, "requested": made.requested if made else 0}
            results.append(_shown(outcome, counts))
        sums = {name: sum(result[name] for result in results) for name in ("cancelled", "requested")}
        return Response({**sums, "results": results})


class RemoveRows(Endpoint):
    @documented(
        "Delete many rows, with a way back",
        description="They are gone at once and their jobs are cancelled; for two minutes `restore` brings the rows "
        "back, then they are deleted with their pictures. `rowIds` of the answer: those that were there.",
        body=SelectionSerializer,
        answers={200: RemovedRowsSerializer},
        problems=(404,),
        example={"rowIds": [examples.ROW_ID]},
        shown={"rowIds": [examples.ROW_ID], "stillPaid": 0},
        operation_id="rows_remove",
    )
    def post(self, request: Request, workspace_id: UUID) -> Response:
        asked = read(SelectionSerializer, request)
        gone = put_rows_away(user=user_of(request), workspace_id=workspace_id, row_ids=asked["row_ids"])
        return Response({"rowIds": gone, "stillPaid": still_paid(gone)})


class RestoreRows(Endpoint):
    @documented(
        "Bring back rows that were just deleted",
        description="Within two minutes of `remove`. Jobs that it cancelled stay cancelled.",
        body=SelectionSerializer,
        answers={200: RowIdsSerializer},
        problems=(404,),
        example={"rowIds": [examples.ROW_ID]},
        shown={"rowIds": [examples.ROW_ID]},
        operation_id="rows_restore",
    )
    def post(self, request: Request, workspace_id: UUID) -> Response:
        asked = read(SelectionSerializer, request)
        back = bring_rows_back(user=user_of(request), workspace_id=workspace_id, row_ids=asked["row_ids"])
        return Response({"rowIds": back})


def _jobs_of(made: Generated) -> dict[str, Any]:
    jobs = [str(job.uid) for job in made.jobs]
    return {"jobIds": jobs, "promptJobId": str(made.prompt_job.uid) if made.prompt_job else None}


def _shown(outcome: Outcome[Any], made: dict[str, Any]) -> dict[str, Any]:
    return {"rowId": outcome.row_id, **made, "problem": _problem(outcome.problem)}


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {"status": problem.status, "code": problem.code, "detail": problem.detail, "action": problem.action}
