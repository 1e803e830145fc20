"""Fills an empty database of a person's own machine with the demo."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from practices.common import clock
from practices.plans.models import PlanVersion
from practices.portfolio.demo import Outcome, seed

PASSWORD_FILE = Path(settings.BASE_DIR) / "var" / "demo-password.txt"
# No letters and digits that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Command(BaseCommand):
    help = "Makes fictional practices, people and migrations in every stage. For trying out only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--password-file",
            type=Path,
            default=PASSWORD_FILE,
            help="where the password of the demo accounts is kept; made when it is missing",
        )

    def handle(self, *, password_file: Path, **_: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError(
                "The demo belongs on a person's own machine (DEVELOPMENT=true), never beside "
                "real practices. Nothing was changed."
            )
        try:
            outcome = seed(password=_password(password_file), at=clock.now())
        except PlanVersion.DoesNotExist as problem:
            raise CommandError("Load the plans first: manage.py load_shipped_plans") from problem
        self.stdout.write(outcome)
        if outcome == Outcome.SEEDED:
            self.stdout.write("`manage.py demo_accounts` lists who can sign in.")


def _password(file: Path) -> str:
    """The one password of this installation's demo accounts, kept where only its owner reads it."""
    if not file.exists():
        groups = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text("-".join(groups) + "\n", encoding="ascii")
    return file.read_text(encoding="ascii").strip()
