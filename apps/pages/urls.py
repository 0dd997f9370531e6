"""The browser pages."""

from django.urls import path

from apps.pages import icon, spending
from apps.pages.accounts import account, signin
from apps.pages.jobs import job, queue
from apps.pages.listings import aplus, project, projects
from apps.pages.studio import downloads, images, strategies, workspace, workspaces

urlpatterns = [
    path("signin", signin.SignIn.as_view(), name="signin"),
    path("signout", signin.SignOut.as_view(), name="signout"),
    path("favicon.ico", icon.favicon, name="favicon"),
    path("", workspaces.workspaces, name="workspaces"),
    path("workspaces/<uuid:workspace_id>", workspace.workspace, name="workspace"),
    path("workspaces/<uuid:workspace_id>/images.zip", downloads.workspace_zip, name="workspace_zip"),
    path("workspaces/<uuid:workspace_id>/rows", workspace.workspace, name="rows"),
    path("workspaces/<uuid:workspace_id>/rows/changes", workspace.row_changes, name="row_changes"),
    path("workspaces/<uuid:workspace_id>/rows/<uuid:row_id>", workspace.row, name="row"),
    path("workspaces/<uuid:workspace_id>/rows/<uuid:row_id>/images.zip", downloads.row_zip, name="row_zip"),
    path("workspaces/<uuid:workspace_id>/strategies", strategies.strategies, name="strategies"),
    path("listings", projects.projects, name="projects"),
    path("listings/<uuid:project_id>", project.project, name="project"),
    path("listings/<uuid:project_id>/live", project.slots, name="project_live"),
    path("listings/<uuid:project_id>/quota", project.quota, name="project_quota"),
    path("listings/<uuid:project_id>/versions/<str:image_type>", project.versions, name="project_versions"),
    path("listings/<uuid:project_id>/aplus", aplus.aplus, name="project_aplus"),
    path("listings/<uuid:project_id>/aplus/module", aplus.new_module, name="project_aplus_module"),
    path(
        "listings/<uuid:project_id>/aplus/<uuid:aplus_id>/<int:place>/<str:name>",
        aplus.picture,
        name="project_aplus_picture",
    ),
    path("spending", spending.spending, name="spending"),
    path("images/<uuid:image_id>", images.image, name="image"),
    path("jobs/<uuid:uid>", job.job, name="job"),
    path("queue", queue.queue, name="queue"),
    path("queue/list", queue.listing, name="queue_list"),
    path("queue/summary", queue.summary, name="queue_summary"),
    path("account", account.account, name="account"),
    path("account/password", account.change_password, name="change_password"),
    path("account/browsers/<int:session_id>/sign-out", account.end_session, name="end_session"),
    path("account/browsers/sign-out", account.end_other_sessions, name="end_other_sessions"),
    path("account/tokens/<int:token_id>/revoke", account.revoke_token, name="revoke_token"),
    path("account/tokens/revoke", account.revoke_all_tokens, name="revoke_all_tokens"),
]
