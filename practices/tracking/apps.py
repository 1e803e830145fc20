from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "practices.tracking"
    label = "tracking"
    verbose_name = "Migrations"

    def ready(self) -> None:
        from practices.accounts.queries import register_inviting
        from practices.common import jobs
        from practices.plans import panels

        from .queries.lessons import lessons_of
        from .queries.uses import running_on
        from .services.upgrading import UNDO, UPGRADE
        from .team import may_invite

        register_inviting(may_invite)
        upgrading = "practices.tracking.services.upgrading"
        jobs.register(UPGRADE, f"{upgrading}.run_upgrades", steps=True)
        jobs.register(UNDO, f"{upgrading}.run_undo", steps=True)
        panels.register_uses(running_on)
        panels.register_lessons(lessons_of)
