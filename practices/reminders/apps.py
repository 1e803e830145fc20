from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "practices.reminders"
    label = "reminders"
    verbose_name = "Reminders"
