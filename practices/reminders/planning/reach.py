"""Who is reached by a role."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.crypto import salted_hmac

from practices.tracking.models import Contact, Migration
from practices.tracking.team import Audience, audience


class Reach:
    """Who is reached by an owner key in each of some migrations; a handful of queries for all.

    People who hold the role, or the contact of that role with an email address
    where nobody does; with ``contacts_first`` the other way round, because a
    confirmation is addressed to the named contact (guide.md C).
    """

    def __init__(
        self, migrations: Iterable[int], *, now: datetime, contacts_first: bool = False
    ) -> None:
        # Whose supplier a system is decides who is reached; nobody asks for names here.
        found = Migration.objects.select_related("source_system", "target_system").only(
            "reference",
            "practice_id",
            "run_by_id",
            "project_manager_id",
            "source_system__supplier_id",
            "target_system__supplier_id",
        )
        self.migrations = found.in_bulk(set(migrations))
        self.people: Audience = audience(self.migrations.values(), now=now)
        self.contacts: dict[tuple[int, str], set[int]] = {}
        self.emails: dict[int, str] = {}
        for pk, migration, role, email in (
            Contact.objects.filter(migration__in=self.migrations, removed_at=None)
            .exclude(email="")
            .values_list("pk", "migration", "role", "email")
        ):
            self.emails[pk] = email
            self.contacts.setdefault((migration, role), set()).add(pk)
        self.contacts_first = contacts_first

    def address_mark(self, to: dict[str, Any]) -> str:
        """Tells a contact's addresses apart in a key, without saying them."""
        if (email := self.emails.get(to.get("contact_id", 0))) is None:
            return ""
        mark = salted_hmac("practices.reminders.address", email, algorithm="sha256")
        return f":{mark.hexdigest()[:12]}"

    def of(self, migration: int, owners: Iterable[str]) -> list[dict[str, Any]]:
        """Recipients, each once, as fields of a notification."""
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
        return [{"migration_id": migration, "person_id": pk} for pk in sorted(people)] + [
            {"migration_id": migration, "contact_id": pk} for pk in sorted(contacts)
        ]
