"""Print which role may do what, as docs/roles.md has it."""

from typing import Any

from django.core.management.base import BaseCommand

from practices.accounts.roles_table import roles_table


class Command(BaseCommand):
    help = "Print the table of roles and permissions: manage.py roles_table > docs/roles.md"

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(roles_table(), ending="")
