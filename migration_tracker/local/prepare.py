"""Bring the database up to date, in one process because starting Django is what takes time."""

import sys
from pathlib import Path

import django
from django.core.management import call_command


def main(accounts: Path) -> None:
    """Migrate as the owner, load what ships, make the demo in an empty database.

    Each command changes nothing when there is nothing to do. ``accounts`` receives who can
    sign in, for the launcher to print; the password is among it.
    """
    django.setup()
    call_command("migrate", database="owner", verbosity=1)
    for command in ("load_reference_data", "load_shipped_plans", "seed_demo"):
        call_command(command)
    accounts.touch(0o600)
    with accounts.open("w", encoding="utf-8") as file:
        call_command("demo_accounts", stdout=file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
