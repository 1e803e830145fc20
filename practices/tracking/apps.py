from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "practices.tracking"
    label = "tracking"
    verbose_name = "Migrations"
