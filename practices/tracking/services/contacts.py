"""People to call: contacts and the project manager. Events hold ids, no name and no number."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import canonical, write_text
from practices.common.time import london_date
from practices.tracking.models import Contact, Migration
from practices.tracking.team import project_managers

from ._base import lock, note_event


@dataclass(frozen=True)
class ContactDetails:
    """``role`` is an owner key; a telephone number or an email address is needed."""

    role: str
    name: str
    organisation: str = ""
    telephone: str = ""
    email: str = ""


def details_of(contact: Contact) -> ContactDetails:
    """A contact as it stands, to be shown in a form or compared."""
    return ContactDetails(
        role=contact.role,
        name=contact.name,
        organisation=contact.organisation,
        telephone=contact.telephone,
        email=contact.email,
    )


def contact_mark(contact: Contact) -> str:
    """A mark of what somebody saw of a contact, sent back with a change of it."""
    return sha256(canonical(asdict(details_of(contact))))[:16]


def _check(details: ContactDetails) -> None:
    if not (details.telephone or details.email):
        raise Refused(f"Enter a telephone number or an email address for {details.name}.")


def _in_words(contact: Contact) -> str:
    """A contact's details as history keeps them: in a text, so that they can be redacted."""
    parts = [contact.name, contact.get_role_display(), contact.organisation]
    return ", ".join(filter(None, [*parts, contact.telephone, contact.email]))


@transaction.atomic
def add_contact(
    *, migration: Migration, details: ContactDetails, by: User, at: datetime
) -> Contact:
    """Add somebody to a migration's contact list."""
    _check(details)
    migration = lock(migration)
    contact = Contact.objects.create(migration=migration, **asdict(details))
    note_event(
        migration,
        "contact.added",
        by=by,
        at=at,
        subject=f"contact:{contact.pk}",
        role=contact.role,
    )
    return contact


@transaction.atomic
def change_contact(
    *, contact: Contact, details: ContactDetails, seen: str, by: User, at: datetime
) -> Contact:
    """Change a contact's details.

    Raises :class:`Conflict` when they are not what the person saw (``seen``), or gone.
    """
    _check(details)
    migration = lock(contact.migration)
    contact = migration.contacts.get(pk=contact.pk)
    if contact.removed_at:
        raise Conflict(f"{contact.name} was taken off the list while you looked.")
    if details_of(contact) == details:
        return contact
    if contact_mark(contact) != seen:
        raise Conflict(
            f"Somebody changed this contact while you looked. It is now: {_in_words(contact)}. "
            "Save again to replace all of that."
        )
    before = write_text(body=_in_words(contact), by=by, at=at)
    for field, value in asdict(details).items():
        setattr(contact, field, value)
    contact.save()
    note_event(
        migration,
        "contact.changed",
        by=by,
        at=at,
        subject=f"contact:{contact.pk}",
        role=contact.role,
        before=before,
        after=write_text(body=_in_words(contact), by=by, at=at),
    )
    return contact


@transaction.atomic
def remove_contact(*, contact: Contact, by: User, at: datetime) -> None:
    """Take a contact off the list; the row stays for the record."""
    migration = lock(contact.migration)
    contact = migration.contacts.get(pk=contact.pk)
    if contact.removed_at:
        return
    contact.removed_at = at
    contact.save(update_fields=["removed_at"])
    note_event(migration, "contact.removed", by=by, at=at, subject=f"contact:{contact.pk}")


@transaction.atomic
def change_project_manager(
    *, migration: Migration, to: User, seen: int, by: User, at: datetime
) -> Migration:
    """Hand a migration to another project manager of the organisation that runs it.

    ``seen`` is the id of the project manager the person saw. Raises
    :class:`Conflict` when it is somebody else by now, :class:`Refused` when
    ``to`` does not hold the role there today.
    """
    migration = lock(migration)
    before = migration.project_manager
    if before == to:
        return migration
    if before.pk != seen:
        raise Conflict(
            f"Somebody changed this while you looked: the project manager is now {before}. "
            "Save again to change that."
        )
    if to not in project_managers(migration.run_by, london_date(at)):
        raise Refused(f"{to} is not a project manager of {migration.run_by}. Choose another.")
    migration.project_manager = to
    migration.save(update_fields=["project_manager"])
    note_event(migration, "migration.manager_changed", by=by, at=at, before=before.pk, after=to.pk)
    return migration
