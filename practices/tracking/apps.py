from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "practices.tracking"
    label = "tracking"
    verbose_name = "Migrations"

    def ready(self) -> None:
        from practices.accounts.queries import register_inviting
        from practices.plans import panels

        from .queries.lessons import lessons_of
        from .queries.uses import running_on
        from .team import may_invite

        register_inviting(may_invite)
        panels.register_uses(running_on)
        panels.register_lessons(lessons_of)
