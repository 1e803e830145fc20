from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CommonConfig(AppConfig):
    name = "practices.common"
    label = "common"
    verbose_name = "What every room needs"

    def ready(self) -> None:
        from . import lookups  # noqa: F401 - registers them
        from .privileges import grant_after_migrate  # the models have to be there first

        post_migrate.connect(grant_after_migrate, dispatch_uid="practices.common.privileges")
