"""Who may sign in, and what they belong to. Events hold ids, never names or addresses."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from practices.common.errors import Refused
from practices.common.services import SITE_STREAM, record_event
from practices.common.time import london_date
from practices.directory.models import Organisation

from .models import Membership, User
from .roles import PRACTICE_ROLES, Role

SERVICE_TEAM = "SERVICE"

# What an organisation must be for a role in it to mean anything. Project managers, trainers
# and delivery partners come from organisations of several kinds (guide.md D.1).
_KINDS: dict[str, str] = {
    **dict.fromkeys(PRACTICE_ROLES, Organisation.Kind.PRACTICE),
    Role.SUPPLIER: Organisation.Kind.SUPPLIER,
    Role.COMMISSIONER: Organisation.Kind.COMMISSIONER,
    Role.ADMINISTRATOR: Organisation.Kind.OPERATOR,
    Role.NATIONAL_VIEWER: Organisation.Kind.NATIONAL,
}


@transaction.atomic
def add_person(
    *, email: str, name: str, password: str | None = None, by: User | None, at: datetime
) -> User:
    """Make an account. Without ``password`` the person sets one through a link sent to them.

    ``by`` is nobody when a command makes it. Raises :class:`Refused` when the
    address is not an e-mail address, somebody has it already, or there is no name.
    """
    email, name = email.strip().lower(), " ".join(name.split())
    try:
        validate_email(email)
    except ValidationError as problem:
        raise Refused(f"“{email}” is not an e-mail address.") from problem
    if not name:
        raise Refused("Enter the person's full name.")
    if User.objects.filter(email=email).exists():
        raise Refused(f"There is already an account for {email}.")
    person = User.objects.create_user(email, password, name=name, joined_at=at)
    _note("person.added", by=by, at=at, subject=f"person:{person.pk}")
    return person


@transaction.atomic
def add_membership(
    *, person: User, organisation: Organisation, role: str, by: User | None, at: datetime
) -> Membership:
    """Give a person a role in an organisation, from the London day of ``at`` on.

    Raises :class:`Refused` when they hold it already, or the role does not exist
    in an organisation of this kind.
    """
    kind = _KINDS.get(role)
    if kind and organisation.kind != kind:
        raise Refused(
            f"{organisation} is not a {Organisation.Kind(kind).label}, "
            f"so nobody can be its {Role(role).label.lower()}."
        )
    # Everything about one person waits for their row.
    User.objects.select_for_update().get(pk=person.pk)
    if person.memberships.filter(organisation=organisation, role=role, valid_to=None).exists():
        raise Refused(f"{person} is already {Role(role).label.lower()} of {organisation}.")
    membership = Membership.objects.create(
        person=person, organisation=organisation, role=role, valid_from=london_date(at)
    )
    _note_membership("membership.added", membership, by=by, at=at)
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, by: User | None, at: datetime) -> Membership:
    """Take a role away: from the London day of ``at`` on it is no longer held."""
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("person", "organisation")
        .get(pk=membership.pk)
    )
    if membership.valid_to is not None:
        raise Refused(f"{membership.person} no longer holds this role.")
    # A role given for later than today is taken back before it began.
    membership.valid_to = max(london_date(at), membership.valid_from)
    membership.save(update_fields=["valid_to"])
    _note_membership("membership.ended", membership, by=by, at=at)
    return membership


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
        _note("organisation.added", by=by, at=at, subject=f"organisation:{team.pk}")
    person = add_person(email=email, name=name, password=password, by=by, at=at)
    add_membership(person=person, organisation=team, role=Role.ADMINISTRATOR, by=by, at=at)
    return person


def _note(kind: str, *, by: User | None, at: datetime, subject: str, **data: object) -> None:
    record_event(stream=SITE_STREAM, kind=kind, by=by, at=at, subject=subject, data=data)


def _note_membership(kind: str, membership: Membership, *, by: User | None, at: datetime) -> None:
    _note(
        kind,
        by=by,
        at=at,
        subject=f"person:{membership.person_id}",
        organisation=membership.organisation_id,
        role=membership.role,
    )
