from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StudioConfig(AppConfig):
    name = "apps.studio"

    def ready(self) -> None:
        from apps.assets import use
        from apps.studio import checks  # noqa: F401
        from apps.studio.picture_use import named_by

        use.register(named_by)

        post_migrate.connect(_furnish, sender=self, dispatch_uid="studio.furnish")


def _furnish(**_signal: object) -> None:
    """The built-in strategies are there whenever the table is."""
    from apps.studio.prompting.strategies import ensure_strategies

    ensure_strategies()
