"""`/api/workspaces/{id}/rows` and `/api/rows/{id}`: the lines of a workspace."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.idempotency import in_one_transaction
from apps.api.jobs.job_shapes import ErrorSerializer, ImageSerializer, JobSerializer
from apps.api.jobs.presentation import facts_of
from apps.api.pagination import PAGE_PARAMETERS, page_of
from apps.api.serializers import MAX_PROMPT, CamelSerializer, Id, Prose, Text, Url, Urls, WholeNumber, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.jobs.models import Job
from apps.studio.deletion import delete_row
from apps.studio.models import Row
from apps.studio.owned import find_row, find_workspace
from apps.studio.pictures import MOST_REFERENCES
from apps.studio.prompting.standing import standing_prompt
from apps.studio.rows import RowState, create_rows, rows_with_state, update_row
from apps.studio.states import NEEDS_PROMPT

MAX_ROWS = 200
STANDING_SOURCES = ("manual", "model", "template", "default")
ROW_STATUSES = ("idle", "queued", "running", "partial", "done", "error")


class RowFieldsSerializer(CamelSerializer):
    label = Text(max_length=120, allow_blank=True, required=False)  # type: ignore[assignment]
    ref_urls = Urls(
        allow_null=True, required=False, help_text=f"null: the workspace's; []: none; at most {MOST_REFERENCES}"
    )
    target_url = Url(allow_blank=True, required=False)
    prompt_override = Prose(max_length=MAX_PROMPT, required=False)
    match_target_ratio = YesOrNo(required=False)


class ChangeRowSerializer(RowFieldsSerializer):
    position = WholeNumber(min_value=0, max_value=1_000_000, required=False)
    trouble_read = Id(allow_null=True, required=False, help_text="A prompt job of the row whose failure you have read")
    prompt_was = Prose(
        max_length=MAX_PROMPT,
        required=False,
        help_text="The text that your promptOverride was typed over; 409 prompt_changed when another one is there now",
    )


class NewRowsSerializer(CamelSerializer):
    """Many at once, in this order; all of them or none."""

    rows = RowFieldsSerializer(many=True, min_length=1, max_length=MAX_ROWS)  # type: ignore[call-arg]


class StandingPromptSerializer(CamelSerializer):
    """What stands in the row's prompt field: the last text that was typed or written. Generate uses it."""

    text = serializers.CharField()
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=STANDING_SOURCES, allow_blank=True, help_text="manual: typed; empty where no text stands"
    )
    model = serializers.CharField(help_text="That wrote it; else empty")
    strategy = serializers.CharField(help_text="name@version that it was written with; else empty")
    before = serializers.CharField(help_text="A person's text that the written one took the place of; else empty")


class RowSerializer(CamelSerializer):
    """`refUrls` null: the workspace's default references; empty: none. `status` follows from the row's jobs.

    `needsPrompt`: it is queued until a person types its prompt, and `waitingReason` is `needs_prompt`.
    """

    id = serializers.UUIDField(source="row.pk")
    workspace_id = serializers.UUIDField(source="row.workspace_id")
    label = serializers.CharField(source="row.label")  # type: ignore[assignment]
    ref_urls = serializers.ListField(source="row.ref_urls", child=serializers.CharField(), allow_null=True)
    target_url = serializers.CharField(source="row.target_url")
    prompt_override = serializers.CharField(source="row.prompt_override")
    prompt = serializers.SerializerMethodField()
    match_target_ratio = serializers.BooleanField(source="row.match_target_ratio")
    status = serializers.SerializerMethodField()
    waiting_reason = serializers.SerializerMethodField(help_text="A code while it is queued; empty when it is not")
    needs_prompt = serializers.SerializerMethodField(help_text="Whether a person must type the prompt")
    position = serializers.IntegerField(source="row.position")
    error = ErrorSerializer(allow_null=True)
    prompt_job_id = serializers.UUIDField(source="prompt_job.uid", allow_null=True, default=None)
    jobs = serializers.SerializerMethodField()
    images = ImageSerializer(many=True)
    created_at = serializers.DateTimeField(source="row.created_at")
    updated_at = serializers.DateTimeField(source="row.updated_at")

    @extend_schema_field(StandingPromptSerializer)
    def get_prompt(self, state: RowState) -> Any:
        return StandingPromptSerializer(standing_prompt(state.row)).data

    @extend_schema_field(serializers.ChoiceField(choices=ROW_STATUSES))
    def get_status(self, state: RowState) -> str:
        return "queued" if self.get_needsPrompt(state) else state.status

    def get_needsPrompt(self, state: RowState) -> bool:
        return state.status == "needs_you"

    def get_waitingReason(self, state: RowState) -> str:
        """The prompt job's before its images', which only wait for it."""
        if self.get_needsPrompt(state):
            return NEEDS_PROMPT
        if state.status != "queued":
            return ""
        return next(filter(None, (self.context["facts"][job.pk].outlook.reason for job in _jobs_of(state))), "")

    @extend_schema_field(JobSerializer(many=True))
    def get_jobs(self, state: RowState) -> Any:
        facts = self.context["facts"]
        return JobSerializer([facts[job.pk] for job in state.jobs], many=True).data


class RowPageSerializer(CamelSerializer):
    results = RowSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class Rows(Endpoint):
    @documented(
        "A workspace's rows, by position",
        answers={200: RowPageSerializer},
        problems=(404,),
        parameters=PAGE_PARAMETERS,
        shown=examples.ROWS,
        operation_id="rows_list",
    )
    def get(self, request: Request, workspace_id: UUID) -> Response:
        rows = Row.objects.filter(workspace=find_workspace(user_of(request), workspace_id))
        page = page_of(rows, request, order=("position", "created_at", "id"))
        return Response(page.body(rows_shown))

    @documented(
        "Add a row, or many",
        body=PolymorphicProxySerializer("NewRowOrRows", [RowFieldsSerializer, NewRowsSerializer], None),
        answers={201: PolymorphicProxySerializer("MadeRowOrRows", [RowSerializer, RowPageSerializer], None)},
        problems=(404,),
        parameters=[IDEMPOTENCY_KEY],
        description=f"One row as an object, or up to {MAX_ROWS} as {{rows: […]}}, answered as {{results, next: null}}.",
        example={"label": "Left shoe", "targetUrl": "https://images.example.com/left.jpg"},
        shown=examples.ROW,
        operation_id="rows_create",
    )
    @in_one_transaction
    def post(self, request: Request, workspace_id: UUID) -> Response:
        workspace = find_workspace(user_of(request), workspace_id)
        many = isinstance(request.data, dict) and "rows" in request.data
        wanted = read(NewRowsSerializer, request)["rows"] if many else [read(RowFieldsSerializer, request)]
        made = rows_shown(create_rows(user=user_of(request), workspace_id=workspace.pk, rows=wanted))
        return Response({"results": made, "next": None} if many else made[0], status=201)


class RowItem(Endpoint):
    @documented("One row", answers={200: RowSerializer}, problems=(404,), shown=examples.ROW, operation_id="rows_read")
    def get(self, request: Request, row_id: UUID) -> Response:
        return Response(rows_shown([find_row(user_of(request), row_id)])[0])

    @documented(
        "Change a row",
        description="With `promptWas` nothing is changed when the prompt is neither that nor yours already: 409 "
        "`prompt_changed`, and `promptText` is the one that is there.",
        body=ChangeRowSerializer,
        answers={200: RowSerializer},
        problems=(404, 409),
        example={"promptOverride": "The shoe on wet slate, morning light"},
        shown=examples.ROW,
        operation_id="rows_change",
    )
    def patch(self, request: Request, row_id: UUID) -> Response:
        fields = read(ChangeRowSerializer, request)
        was = fields.pop("prompt_was", None)
        row = update_row(user=user_of(request), row_id=row_id, fields=fields, prompt_was=was)
        return Response(rows_shown([row])[0])

    @documented(
        "Delete a row",
        description="Its jobs that wait or run are cancelled and its pictures deleted. An order that was sent goes on and "
        "is paid: its picture is kept beside its job for 30 days, marked late.",
        answers={204: None},
        problems=(404,),
        operation_id="rows_delete",
    )
    def delete(self, request: Request, row_id: UUID) -> Response:
        delete_row(user=user_of(request), row_id=row_id)
        return Response(status=204)


def rows_shown(rows: list[Row]) -> list[dict[str, Any]]:
    """In the given order; a constant number of queries."""
    states = rows_with_state(rows)
    facts = {told.job.pk: told for told in facts_of([job for state in states for job in _jobs_of(state)])}
    return list(RowSerializer(states, many=True, context={"facts": facts}).data)


def _jobs_of(state: RowState) -> list[Job]:
    return [*([state.prompt_job] if state.prompt_job else []), *state.jobs]
