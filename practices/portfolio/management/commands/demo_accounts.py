"""Lists the accounts of the demo; the launcher prints it at every start."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from practices.portfolio.demo import is_seeded
from practices.portfolio.demo.cast import accounts

from .seed_demo import PASSWORD_FILE


class Command(BaseCommand):
    help = "Lists one demo account for each role, and their password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password-file", type=Path, default=PASSWORD_FILE)

    def handle(self, *, password_file: Path, **_: Any) -> None:
        if not settings.DEVELOPMENT or not is_seeded():
            self.stdout.write("There is no demo here.")
            return
        self.stdout.write("Demo accounts, one for each role:")
        for role, email, organisation in accounts():
            self.stdout.write(f"  {role:<28}{email:<42}{organisation}")
        if password_file.exists():
            password = password_file.read_text(encoding="ascii").strip()
            self.stdout.write(f"The password of all of them is {password}")
        else:
            self.stdout.write(
                f"Their password was kept in {password_file.name}, which is gone: use "
                "“Forgotten your password?” at sign-in."
            )
