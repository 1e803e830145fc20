from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "practices.reminders"
    label = "reminders"
    verbose_name = "Reminders"

    def ready(self) -> None:
        from practices.tracking import panels

        from .queries import muted_until

        panels.register_muting(muted_until)
