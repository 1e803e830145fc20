"""Accounts: who may sign in."""

import unicodedata
from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from practices.accounts.models import Invitation, User
from practices.accounts.roles import Role
from practices.common.errors import Refused
from practices.directory.models import Organisation

from ._base import lock_unanswered, note, take_back
from .memberships import add_membership

SERVICE_TEAM = "SERVICE"
LONGEST_EMAIL = 254  # RFC 5321, and the column


def tidy(*, email: str, name: str) -> tuple[str, str]:
    """An address and a name as they are kept. Raises :class:`Refused` when they are none."""
    email = email.strip().lower()
    # A name of characters nobody sees would pass for none, or for somebody else's.
    seen = (c for c in name if c.isspace() or not unicodedata.category(c).startswith("C"))
    name = " ".join("".join(seen).split())
    if len(email) > LONGEST_EMAIL:
        raise Refused(f"The email address is longer than {LONGEST_EMAIL} characters.")
    try:
        validate_email(email)
    except ValidationError as problem:
        raise Refused(f"“{email}” is not an email address.") from problem
    if not name:
        raise Refused("Enter the person's full name.")
    return email, name


@transaction.atomic
def add_person(
    *, email: str, name: str, password: str | None = None, by: User | None, at: datetime
) -> User:
    """Make an account. Without ``password`` the person sets one through a link sent to them.

    ``by`` is nobody when a command makes it, or the person themselves. Raises
    :class:`Refused` when the address is not an email address, somebody has it
    already, or there is no name.
    """
    email, name = tidy(email=email, name=name)
    try:
        with transaction.atomic():
            person = User.objects.create_user(email, password, name=name, joined_at=at)
    except IntegrityError as taken:
        raise Refused(f"There is already an account for {email}.") from taken
    note("person.added", by=by, at=at, subject=f"person:{person.pk}")
    return person


@transaction.atomic
def add_administrator(
    *, email: str, name: str, password: str | None, by: User | None, at: datetime
) -> User:
    """Make an account that may configure the service; its team's organisation is made if needed."""
    team, made = Organisation.objects.get_or_create(
        code=SERVICE_TEAM,
        defaults={"kind": Organisation.Kind.OPERATOR, "name": "Migration Tracker service team"},
    )
    if made:
        note("organisation.added", by=by, at=at, subject=f"organisation:{team.pk}")
    person = add_person(email=email, name=name, password=password, by=by, at=at)
    add_membership(person=person, organisation=team, role=Role.ADMINISTRATOR, by=by, at=at)
    return person


@transaction.atomic
def close_account(*, person: User, by: User | None, at: datetime) -> None:
    """Let nobody sign in as this person any more; whoever is signed in is out at once.

    Their roles stay, so that the account can be opened again. Invitations they sent and
    nobody has answered are withdrawn. Raises :class:`Refused` for one's own account.
    """
    if person == by:
        raise Refused("You cannot close your own account. Ask another administrator.")
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not person.is_active:
        return
    sent = lock_unanswered(Invitation.objects.filter(invited_by=person))
    person.is_active = False
    person.save(update_fields=["is_active"])
    take_back(sent, by=by, at=at)
    _end_sessions(person)
    note("person.closed", by=by, at=at, subject=f"person:{person.pk}")


@transaction.atomic
def open_account(*, person: User, by: User, at: datetime) -> None:
    """Let a person whose account was closed sign in again."""
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.is_active:
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    note("person.opened", by=by, at=at, subject=f"person:{person.pk}")


def _end_sessions(person: User) -> None:
    """A closed account is refused anyway; but opening it again must not revive an old session."""
    ended = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(person.pk)
    ]
    Session.objects.filter(pk__in=ended).delete()
