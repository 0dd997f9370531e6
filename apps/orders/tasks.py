"""The Celery task of what is still open at providers: thin, as all of them are."""

from celery import shared_task

from apps.jobs.tasks import MACHINERY
from apps.orders import reconcile as reconciling


# Beat's tables of running deployments hold this name: it stays, wherever the work lives.
@shared_task(name="jobs.reconcile", **MACHINERY)
def reconcile() -> int:
    return reconciling.reconcile()
