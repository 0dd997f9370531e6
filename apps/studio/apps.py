from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "apps.studio"

    def ready(self) -> None:
        from apps.studio import checks  # noqa: F401
