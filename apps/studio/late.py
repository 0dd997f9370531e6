"""Pictures that came when their place was gone: the job was cancelled, or the row was deleted. They were paid for.

Pictures that stand in a row go with it: whoever deletes a row deletes its pictures. An order that was sent goes on, and
what comes of it is kept beside its job for 30 days, where its owner finds it.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from apps.core.clock import ClockTimestamp
from apps.jobs.models import Job
from apps.providers.calls import OPEN
from apps.providers.models import Call
from apps.studio.models import GeneratedImage, Row
from apps.studio.rows import subject_of

KEPT_FOR = timedelta(days=30)
MOST_SHOWN = 50


def still_paid(row_ids: Sequence[UUID]) -> int:
    """How many orders of these rows were sent and go on at the provider, whatever becomes of the rows."""
    jobs = Job.objects.filter(subject__in=[subject_of(Row(pk=row_id)) for row_id in row_ids])
    orders = Call.objects.filter(job_id__in=jobs.values("pk"), purpose="submit", state__in=OPEN, resent=False)
    return orders.count()


def late_images(owner_id: int) -> list[GeneratedImage]:
    """The owner's, newest first; each with its job."""
    late = GeneratedImage.objects.filter(owner_id=owner_id, late=True, job__isnull=False)
    return list(late.select_related("job").order_by("-created_at", "index")[:MOST_SHOWN])


def forget_late_images() -> int:
    """Deletes those that have had no place for 30 days; answers how many."""
    old = GeneratedImage.objects.filter(row=None, created_at__lt=ClockTimestamp() - KEPT_FOR)
    return old.delete()[0]
