"""manage.py load_reference_data"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from practices.common import clock
from practices.common.errors import Refused
from practices.directory.services import load_reference_data


class Command(BaseCommand):
    help = "Bring in the commissioners, suppliers and systems that ship. Safe to run again."

    def handle(self, **_: Any) -> None:
        try:
            written = load_reference_data(at=clock.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{written} organisations and systems written." if written else "Nothing was missing."
        )
