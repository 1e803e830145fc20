"""Who is reached by a role."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from practices.accounts.roles import Owner
from practices.tracking.models import Contact, Migration
from practices.tracking.team import Audience, audience

from .outbox import To


class Place(NamedTuple):
    """What decides who is reached: whole rows of thousands of migrations take longer to read."""

    pk: int
    reference: str
    practice_id: int
    run_by_id: int
    project_manager_id: int
    target_supplier_id: int
    source_supplier_id: int


class Reach:
    """Who is reached by an owner key in each of some migrations; a handful of queries for all.

    People who hold the role, or the contact of that role with an email address
    where nobody does; with ``contacts_first`` the other way round, because a
    confirmation is addressed to the named contact (guide.md C).
    """

    def __init__(
        self, migrations: Collection[int], *, now: datetime, contacts_first: bool = False
    ) -> None:
        places = [
            Place(*row)
            for row in Migration.objects.filter(pk__among=migrations).values_list(
                "pk",
                "reference",
                "practice",
                "run_by",
                "project_manager",
                "target_system__supplier",
                "source_system__supplier",
            )
        ]
        self.references: dict[int, str] = {place.pk: place.reference for place in places}
        self.people: Audience = audience(places, now=now)
        self.contacts: dict[tuple[int, str], set[int]] = {}
        self.emails: dict[int, str] = {}
        for pk, migration, role, email in (
            Contact.objects.filter(migration__among=migrations, removed_at=None)
            .exclude(email="")
            .values_list("pk", "migration", "role", "email")
        ):
            self.emails[pk] = email
            self.contacts.setdefault((migration, role), set()).add(pk)
        self.contacts_first = contacts_first

    def address_mark(self, to: To) -> str:
        """Tells a contact's addresses apart in a key, without saying them."""
        if (email := self.emails.get(to.contact_id or 0)) is None:
            return ""
        mark = salted_hmac("practices.reminders.address", email, algorithm="sha256")
        return f":{mark.hexdigest()[:12]}"

    def somebody(self, migration: int, owners: Iterable[str]) -> list[To]:
        """Those, or the project manager where nobody is: what is due is never said to no one."""
        return self.of(migration, owners) or self.of(migration, [Owner.PROJECT_MANAGER])

    def of(self, migration: int, owners: Iterable[str]) -> list[To]:
        """Whom they are, each once."""
        people: set[int] = set()
        contacts: set[int] = set()
        for owner in owners:
            held = self.people.get((migration, owner), set())
            named = self.contacts.get((migration, owner), set())
            if self.contacts_first:
                held = set() if named else held
            elif held:
                named = set()
            people |= held
            contacts |= named
        return [To(person_id=pk) for pk in sorted(people)] + [
            To(contact_id=pk) for pk in sorted(contacts)
        ]
