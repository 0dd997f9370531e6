"""A failure carries what a person can do about it as a code. Failures from before have none: apps/studio/remedies.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0005_why_held")]

    operations = [
        migrations.AddField("job", "error_remedy", models.CharField(blank=True, db_default="", max_length=12)),
    ]
