"""Takes a person's name and address out of the product; what they did stays.

It stands in the upper room because each room below forgets what it holds.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from practices.accounts.models import User
from practices.accounts.services.pseudonym import pseudonymise
from practices.common import clock
from practices.common.errors import Refused
from practices.reminders.forgetting import forget_person


class Command(BaseCommand):
    help = (
        "Removes a person's name, address and password for good and ends their roles. Their "
        "signatures and acts stay under a number, and verify_history stays clean."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address they sign in with")

    def handle(self, *, email: str, **_: Any) -> None:
        person = User.objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError(f"There is no account for {email}. Nothing was changed.")
        try:
            with transaction.atomic():
                ended = pseudonymise(person=person, by=None, at=clock.now())
                person.refresh_from_db()
                forget_person(person=person)
        except Refused as refusal:
            raise CommandError(f"{refusal} Nothing was changed.") from refusal
        for membership in ended:
            role = membership.get_role_display().lower()
            self.stdout.write(f"No longer {role} of {membership.organisation}.")
        self.stdout.write(f"The person is now “Former user {person.pk}”. This cannot be undone.")
