"""The Celery task of the API: thin. One that is lost is made up for by the next, an hour later."""

from celery import shared_task

from apps.api import idempotency
from apps.listings.projects import finish_deletions as finish_project_deletions
from apps.studio.deletion import finish_deletions
from apps.studio.late import forget_late_images


@shared_task(name="api.sweep")
def sweep() -> int:
    return idempotency.sweep() + finish_deletions() + finish_project_deletions() + forget_late_images()
