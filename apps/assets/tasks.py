"""The Celery task of the pictures: thin. One that is lost is made up for by the next, an hour later."""

from celery import shared_task

from apps.assets import sweep as sweeping


@shared_task(name="assets.sweep")
def sweep() -> int:
    return sweeping.sweep()
