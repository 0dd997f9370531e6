"""`/api/workspaces`: rows that share a default prompt, references and a size."""

from functools import partial
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.idempotency import in_one_transaction
from apps.api.pagination import PAGE_PARAMETERS, page_of
from apps.api.serializers import MAX_PROMPT, CamelSerializer, Prose, Text, Urls, WholeNumber, YesOrNo
from apps.api.views import IDEMPOTENCY_KEY, Endpoint, documented, read
from apps.studio.deletion import delete_workspace
from apps.studio.models import PromptPolicy, Workspace
from apps.studio.owned import find_workspace
from apps.studio.workspaces import create_workspace, model_warnings, update_workspace

EDGE = partial(WholeNumber, min_value=1024, max_value=4096, required=False)


class WorkspaceSettingsSerializer(CamelSerializer):
    name = Text(max_length=120, required=False)
    default_prompt = Prose(max_length=MAX_PROMPT, required=False)
    default_ref_urls = Urls(required=False)
    output_width = EDGE()
    output_height = EDGE()
    images_per_generate = WholeNumber(min_value=1, max_value=6, required=False)
    generation_model = Text(
        max_length=100, allow_blank=True, required=False, help_text="Empty: the deployment's image model"
    )
    prompt_strategy = Text(
        max_length=40, required=False, help_text="A name (its newest version) or name@version, of /api/strategies"
    )
    second_strategy = Text(
        max_length=40, allow_blank=True, required=False, help_text="Shares the traffic with the first; empty: none"
    )
    second_share = WholeNumber(
        min_value=0, max_value=100, required=False, help_text="Percent of the prompts that the second one writes"
    )
    on_prompt_failure = serializers.ChoiceField(choices=PromptPolicy.choices, required=False)
    shop_refusals = YesOrNo(
        required=False, help_text="When a model declines, ask those that are named for refusals in the settings"
    )
    reuse_prompts = YesOrNo(
        required=False, help_text="Use a prompt again that was written for the very same request; it costs nothing"
    )
    rights_confirmed = YesOrNo(required=False, help_text="The owner confirms the right to use these images")


class NewWorkspaceSerializer(WorkspaceSettingsSerializer):
    name = Text(max_length=120)


class WorkspaceSerializer(CamelSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    default_prompt = serializers.CharField()
    default_ref_urls = serializers.ListField(child=serializers.CharField())
    output_width = serializers.IntegerField()
    output_height = serializers.IntegerField()
    images_per_generate = serializers.IntegerField()
    generation_model = serializers.CharField()
    prompt_strategy = serializers.CharField()
    second_strategy = serializers.CharField()
    second_share = serializers.IntegerField()
    on_prompt_failure = serializers.ChoiceField(choices=PromptPolicy.choices)
    shop_refusals = serializers.BooleanField()
    reuse_prompts = serializers.BooleanField()
    model_warnings = serializers.SerializerMethodField(help_text="Models that are retired or answered for by another")
    rights_confirmed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_modelWarnings(self, workspace: Workspace) -> list[str]:
        return model_warnings(workspace)


class WorkspacePageSerializer(CamelSerializer):
    results = WorkspaceSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class Workspaces(Endpoint):
    @documented(
        "Your workspaces, newest first",
        answers={200: WorkspacePageSerializer},
        parameters=PAGE_PARAMETERS,
        shown=examples.WORKSPACES,
        operation_id="workspaces_list",
    )
    def get(self, request: Request) -> Response:
        page = page_of(Workspace.objects.filter(owner=user_of(request)), request, order=("-created_at", "-id"))
        return Response(page.body(_all_shown))

    @documented(
        "Make a workspace",
        body=NewWorkspaceSerializer,
        answers={201: WorkspaceSerializer},
        parameters=[IDEMPOTENCY_KEY],
        example={"name": "Autumn shoes", "defaultPrompt": "A photograph on warm sand", "imagesPerGenerate": 2},
        shown=examples.WORKSPACE,
        operation_id="workspaces_create",
    )
    @in_one_transaction
    def post(self, request: Request) -> Response:
        made = create_workspace(user=user_of(request), **read(NewWorkspaceSerializer, request))
        return Response(_shown(made), status=201)


class WorkspaceItem(Endpoint):
    @documented(
        "One workspace",
        answers={200: WorkspaceSerializer},
        problems=(404,),
        shown=examples.WORKSPACE,
        operation_id="workspaces_read",
    )
    def get(self, request: Request, workspace_id: UUID) -> Response:
        return Response(_shown(find_workspace(user_of(request), workspace_id)))

    @documented(
        "Change a workspace",
        body=WorkspaceSettingsSerializer,
        answers={200: WorkspaceSerializer},
        problems=(404,),
        example={"imagesPerGenerate": 4},
        shown=examples.WORKSPACE,
        operation_id="workspaces_change",
    )
    def patch(self, request: Request, workspace_id: UUID) -> Response:
        workspace = find_workspace(user_of(request), workspace_id)
        return Response(_shown(update_workspace(workspace, **read(WorkspaceSettingsSerializer, request))))

    @documented(
        "Delete a workspace and its rows",
        description="Jobs that wait or run are cancelled. Pictures already made go with their rows.",
        answers={204: None},
        problems=(404,),
        operation_id="workspaces_delete",
    )
    def delete(self, request: Request, workspace_id: UUID) -> Response:
        delete_workspace(find_workspace(user_of(request), workspace_id))
        return Response(status=204)


def _shown(workspace: Workspace) -> Any:
    return WorkspaceSerializer(workspace).data


def _all_shown(workspaces: list[Workspace]) -> Any:
    return WorkspaceSerializer(workspaces, many=True).data
