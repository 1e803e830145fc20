"""Load the plans that come with the software."""

from typing import Any

from django.core.management.base import BaseCommand

from practices.common import clock
from practices.plans.shipping import load_shipped_plans


class Command(BaseCommand):
    help = "Load and publish the shipped plans; plans that were changed here are left alone."

    def handle(self, **_: Any) -> None:
        for shipment in load_shipped_plans(at=clock.now()):
            self.stdout.write(f"{shipment.slug}: {shipment.outcome}")
