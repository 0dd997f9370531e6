from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "apps.jobs"

    def ready(self) -> None:
        post_migrate.connect(_furnish, sender=self, dispatch_uid="jobs.furnish")


def _furnish(**_signal: object) -> None:
    """Lanes and schedule are there whenever the tables are."""
    from apps.jobs.lanes import ensure_lanes
    from apps.jobs.schedule import ensure_schedule

    ensure_lanes()
    ensure_schedule()
