from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "practices.directory"
    label = "directory"
    verbose_name = "Organisations and systems"

    def ready(self) -> None:
        from practices.common import jobs

        from .services import IMPORT

        jobs.register(IMPORT, "practices.directory.services.run_import")
