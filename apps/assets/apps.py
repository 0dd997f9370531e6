from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "apps.assets"

    def ready(self) -> None:
        from apps.assets import checks  # noqa: F401 - registers them
