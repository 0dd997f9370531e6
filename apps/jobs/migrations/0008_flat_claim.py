"""The claim by heads, and who is first in line for money: indexes only, none of which blocks a write."""

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
    ]
