"""The claim by heads, who is first in line for money, and what is due to be pruned: indexes only, none of which blocks a write."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0007_families")]

    operations = [
        AddIndexConcurrently(
            "job",
            models.Index(
                F("lane"),
                F("provider"),
                F("owner"),
                F("priority").desc(),
                F("turn"),
                F("seq"),
                name="job_heads",
                condition=Q(status="queued"),
            ),
        ),
        AddIndexConcurrently(
            "job",
            models.Index(
                F("owner"),
                F("provider"),
                F("priority").desc(),
                F("turn"),
                F("seq"),
                name="job_short_of_money",
                condition=Q(status="scheduled", reason="budget"),
            ),
        ),
        AddIndexConcurrently(
            "job",
            models.Index(
                fields=["status", "finished_at"],
                name="job_prunable",
                condition=Q(finished_at__isnull=False, parent__isnull=True),
            ),
        ),
    ]
