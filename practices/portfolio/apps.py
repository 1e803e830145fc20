from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "practices.portfolio"
    label = "portfolio"
    verbose_name = "Portfolio"

    def ready(self) -> None:
        from practices.plans import panels

        from .upgrades import move_to

        panels.register_moves(move_to)
