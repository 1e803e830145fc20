from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "practices.accounts"
    label = "accounts"
    verbose_name = "People and access"
