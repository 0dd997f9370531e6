"""Pruning has a time of its own now, every ten minutes and not beside the tick. Where nobody has set it otherwise."""

from django.db import migrations


def forget_the_hourly(apps, schema_editor):
    """The schedule that is missing is written anew after the migrations (apps/jobs/schedule.py)."""
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    tasks.filter(name="prune", task="jobs.prune", queue="dispatch", interval__every=3600, interval__period="seconds").delete()


class Migration(migrations.Migration):
    dependencies = [("jobs", "0008_flat_claim"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(forget_the_hourly, migrations.RunPython.noop, elidable=True)]
