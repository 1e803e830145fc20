"""Proves that the role the site runs as cannot bend history; sets its rights when asked."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from practices.common import privileges


class Command(BaseCommand):
    help = (
        "Verifies what the app role may do, and the triggers that keep history. "
        "Exits with 1 and a line for each fault."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--set", action="store_true", help="set them first (needs OWNER_DATABASE_URL)"
        )

    def handle(self, *, set: bool, **_: Any) -> None:  # noqa: A002
        if set:
            if privileges.OWNER not in settings.DATABASES:
                raise CommandError(
                    "Only the owner can set rights: set OWNER_DATABASE_URL, as for migrate."
                )
            privileges.grant()
        found = list(privileges.problems(DEFAULT_DB_ALIAS))
        for problem in found:
            self.stdout.write(problem)
        if found:
            mend = "" if set else " `manage.py check_privileges --set` mends what the owner can."
            raise CommandError(f"{len(found)} faults.{mend}")
        self.stdout.write("The app role's rights and the triggers are as they must be.")
