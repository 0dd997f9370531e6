from django.apps import AppConfig


class ListingsConfig(AppConfig):
    name = "apps.listings"

    def ready(self) -> None:
        from apps.assets import use
        from apps.listings.picture_use import named_by

        use.register(named_by)
