"""Proves that the stored counters are what the tasks say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from practices.common import clock
from practices.tracking.models import Migration
from practices.tracking.services.counters import correct_counters, wrong_counters


class Command(BaseCommand):
    help = (
        "Compares the counters of every migration and phase with its tasks. "
        "Exits with 1 and a list when any is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="correct what is wrong")

    def handle(self, *, fix: bool, **_: Any) -> None:
        wrong = wrong_counters()
        for counter in wrong:
            self.stdout.write(str(counter))
        if not wrong:
            self.stdout.write("Every counter is right.")
        elif not fix:
            raise CommandError(f"{len(wrong)} wrong. Run it again with --fix to correct them.")
        else:
            for pk in sorted({counter.migration_id for counter in wrong}):
                correct_counters(migration=Migration(pk=pk), by=None, at=clock.now())
            self.stdout.write(f"Corrected: {len(wrong)}.")
