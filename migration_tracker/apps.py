from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "migration_tracker"
    label = "site"
    verbose_name = "The site"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)
