from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "practices.portfolio"
    label = "portfolio"
    verbose_name = "Portfolio"
