"""The REST API. No trailing slashes."""

from django.urls import path

from apps.api.assets import AssetItem, Assets, AssetSpace, FetchAsset
from apps.api.jobs.calls import SettleCall
from apps.api.jobs.dispatch import Dispatch, PromptProcessor
from apps.api.jobs.events import Events
from apps.api.jobs.init import Init
from apps.api.jobs.jobs import CreateJobs, JobItem, Jobs, PendingCount, RetryJob
from apps.api.jobs.webhooks import WavespeedWebhook
from apps.api.listings import aplus, exports, packs, projects
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
    path("projects", projects.Projects.as_view(), name="projects"),
    path("projects/<uuid:project_id>", projects.ProjectItem.as_view(), name="project"),
    path("projects/<uuid:project_id>/facts", projects.ProjectFacts.as_view(), name="project-facts"),
    path("projects/<uuid:project_id>/photos", projects.Photos.as_view(), name="project-photos"),
    path("projects/<uuid:project_id>/photos/<uuid:photo_id>", projects.PhotoItem.as_view(), name="project-photo"),
    path("projects/<uuid:project_id>/cutout", projects.ProjectCutout.as_view(), name="project-cutout"),
    path("projects/<uuid:project_id>/cutout/file", projects.CutoutFile.as_view(), name="project-cutout-file"),
    path("projects/<uuid:project_id>/quote", packs.ProjectQuote.as_view(), name="project-quote"),
    path("projects/<uuid:project_id>/images", packs.ProjectImages.as_view(), name="project-images"),
    path(
        "projects/<uuid:project_id>/images/<uuid:image_id>/choose", packs.ChooseImage.as_view(), name="project-choose"
    ),
    path("projects/<uuid:project_id>/compliance", packs.Compliance.as_view(), name="project-compliance"),
    path("projects/<uuid:project_id>/packs/<uuid:pack_id>/cancel", packs.CancelPack.as_view(), name="pack-cancel"),
    path("projects/<uuid:project_id>/exports", exports.Exports.as_view(), name="project-exports"),
    path("projects/<uuid:project_id>/exports/<uuid:export_id>", exports.ExportItem.as_view(), name="project-export"),
    path(
        "projects/<uuid:project_id>/exports/<uuid:export_id>/file",
        exports.ExportFile.as_view(),
        name="project-export-file",
    ),
    path("projects/<uuid:project_id>/export", exports.ExportNow.as_view(), name="project-export-now"),
    path("projects/<uuid:project_id>/aplus", aplus.APlusPages.as_view(), name="project-aplus"),
    path("projects/<uuid:project_id>/aplus/validate", aplus.APlusCheck.as_view(), name="project-aplus-validate"),
    path("projects/<uuid:project_id>/aplus/<uuid:aplus_id>", aplus.APlusItem.as_view(), name="project-aplus-item"),
    path("process-aplus", aplus.ProcessAPlus.as_view(), name="process-aplus"),
    path("process-image", packs.ProcessImage.as_view(), name="process-image"),
    path("process-complete-pack", packs.ProcessPack.as_view(), name="process-complete-pack"),
    path("brand-kits", projects.BrandKits.as_view(), name="brand-kits"),
    path("brand-kits/<uuid:kit_id>", projects.BrandKitItem.as_view(), name="brand-kit"),
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
