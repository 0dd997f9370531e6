"""The REST API. No trailing slashes."""

from django.urls import path

from apps.api.assets import AssetItem, Assets, AssetSpace, FetchAsset
from apps.api.jobs.calls import SettleCall
from apps.api.jobs.dispatch import Dispatch, PromptProcessor
from apps.api.jobs.events import Events
from apps.api.jobs.init import Init
from apps.api.jobs.jobs import CreateJobs, JobItem, Jobs, PendingCount, RetryJob
from apps.api.jobs.webhooks import WavespeedWebhook
from apps.api.money import Budgets, RowQuote, Spending
from apps.api.schema import Reference, Schema
from apps.api.studio.images import ImageItem
from apps.api.studio.prompts import PromptQueue, PromptQueueItem
from apps.api.studio.rows import RowItem, Rows
from apps.api.studio.selections import CancelRows, GenerateRows, RemoveRows, RestoreRows
from apps.api.studio.strategies import Comparison, Strategies
from apps.api.studio.workspaces import WorkspaceItem, Workspaces
from apps.api.unknown import Unknown

app_name = "api"
urlpatterns = [
    path("prompt/queue", PromptQueue.as_view(), name="prompt-queue"),
    path("prompt/queue/<uuid:prompt_job_id>", PromptQueueItem.as_view(), name="prompt-queue-item"),
    path("jobs", Jobs.as_view(), name="jobs"),
    path("jobs/create", CreateJobs.as_view(), name="jobs-create"),
    path("jobs/pending-count", PendingCount.as_view(), name="jobs-pending-count"),
    path("jobs/<uuid:job_id>", JobItem.as_view(), name="job"),
    path("jobs/<uuid:job_id>/retry", RetryJob.as_view(), name="job-retry"),
    path("workspaces", Workspaces.as_view(), name="workspaces"),
    path("workspaces/<uuid:workspace_id>", WorkspaceItem.as_view(), name="workspace"),
    path("workspaces/<uuid:workspace_id>/rows", Rows.as_view(), name="rows"),
    path("workspaces/<uuid:workspace_id>/generate", GenerateRows.as_view(), name="rows-generate"),
    path("workspaces/<uuid:workspace_id>/cancel", CancelRows.as_view(), name="rows-cancel"),
    path("workspaces/<uuid:workspace_id>/remove", RemoveRows.as_view(), name="rows-remove"),
    path("workspaces/<uuid:workspace_id>/restore", RestoreRows.as_view(), name="rows-restore"),
    path("workspaces/<uuid:workspace_id>/strategies", Comparison.as_view(), name="workspace-strategies"),
    path("strategies", Strategies.as_view(), name="strategies"),
    path("rows/<uuid:row_id>", RowItem.as_view(), name="row"),
    path("rows/<uuid:row_id>/quote", RowQuote.as_view(), name="row-quote"),
    path("spend", Spending.as_view(), name="spend"),
    path("budgets", Budgets.as_view(), name="budgets"),
    path("images/<uuid:image_id>", ImageItem.as_view(), name="image"),
    path("assets", Assets.as_view(), name="assets"),
    path("assets/fetch", FetchAsset.as_view(), name="assets-fetch"),
    path("assets/space", AssetSpace.as_view(), name="assets-space"),
    path("assets/<uuid:asset_id>", AssetItem.as_view(), name="asset"),
    path("calls/<uuid:call_id>/settle", SettleCall.as_view(), name="call-settle"),
    path("webhooks/wavespeed", WavespeedWebhook.as_view(), name="webhook-wavespeed"),
    path("events", Events.as_view(), name="events"),
    path("dispatch", Dispatch.as_view(), name="dispatch"),
    path("cron/prompt-processor", PromptProcessor.as_view(), name="cron-prompt-processor"),
    path("init", Init.as_view(), name="init"),
    path("schema", Schema.as_view(), name="schema"),
    path("docs", Reference.as_view(), name="docs"),
    path("<path:rest>", Unknown.as_view(), name="unknown"),
]
