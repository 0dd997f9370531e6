from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "apps.jobs"

    def ready(self) -> None:
        from apps.jobs.lanes import ensure_lanes

        post_migrate.connect(lambda **_: ensure_lanes(), sender=self, weak=False, dispatch_uid="lanes")
