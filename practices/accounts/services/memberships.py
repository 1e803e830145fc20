"""Roles: given, ended, and held for somebody who is away."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from practices.accounts.models import ONE_DAY, Invitation, Membership, User
from practices.accounts.roles import PRACTICE_ROLES, Permission, Role
from practices.common.errors import Refused
from practices.common.templatetags.uk import uk_date
from practices.common.time import london_date
from practices.directory.models import Organisation

from ._base import lock_unanswered, note, take_back

# What an organisation must be for a role in it to mean anything. Project managers, trainers
# and delivery partners come from organisations of several kinds (guide.md D.1).
_KINDS: dict[str, str] = {
    **dict.fromkeys(PRACTICE_ROLES, Organisation.Kind.PRACTICE),
    Role.SUPPLIER: Organisation.Kind.SUPPLIER,
    Role.COMMISSIONER: Organisation.Kind.COMMISSIONER,
    Role.ADMINISTRATOR: Organisation.Kind.OPERATOR,
    Role.NATIONAL_VIEWER: Organisation.Kind.NATIONAL,
}

LONGEST_DEPUTY = timedelta(days=92)  # of absence, such as a long leave; more is a role


def must_fit(role: str, organisation: Organisation) -> None:
    """Raise :class:`Refused` when nobody can hold this role in an organisation of this kind."""
    kind = _KINDS.get(role)
    if kind and organisation.kind != kind:
        raise Refused(
            f"{organisation} is not a {Organisation.Kind(kind).label}, "
            f"so nobody can be its {Role(role).label.lower()}."
        )


@transaction.atomic
def add_membership(
    *,
    person: User,
    organisation: Organisation,
    role: str,
    valid_to: date | None = None,
    by: User | None,
    at: datetime,
) -> Membership:
    """Give a person a role in an organisation, from the London day of ``at`` on.

    ``valid_to`` is the first day they no longer hold it. Raises :class:`Refused`
    when they hold it already, or the role does not exist in an organisation of this
    kind.
    """
    must_fit(role, organisation)
    today = london_date(at)
    # Everything about one person waits for their row, but events that name them do not.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    own = person.memberships.filter(organisation=organisation, role=role, deputy_for=None)
    if own.not_over(today).exists():
        raise Refused(f"{person} is already {Role(role).label.lower()} of {organisation}.")
    if valid_to and valid_to <= today:
        raise Refused("The last day of the role is over.")
    membership = Membership.objects.create(
        person=person, organisation=organisation, role=role, valid_from=today, valid_to=valid_to
    )
    _note("membership.added", membership, by=by, at=at)
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, by: User | None, at: datetime) -> Membership:
    """Take a role away: from the London day of ``at`` on it is no longer held.

    Whoever stands in for the person in this role no longer does, and their invitations that
    nobody has answered are withdrawn, but for those which another role lets them send. Raises
    :class:`Refused` when it is over already, or nobody would be left who can administer the
    service.
    """
    # Two administrators must not end each other's role at once.
    rows = Membership.objects.select_for_update(of=("self",)).order_by("pk")
    if membership.role == Role.ADMINISTRATOR:
        list(rows.filter(role=Role.ADMINISTRATOR))
    membership = rows.select_related("person", "organisation").get(pk=membership.pk)
    today = london_date(at)
    if membership.valid_to is not None and membership.valid_to <= today:
        raise Refused(f"{membership.person} no longer holds this role.")
    if membership.role == Role.ADMINISTRATOR and not _other_administrators(membership, today):
        raise Refused(
            f"{membership.person} is the last administrator. Make another one before you end this."
        )
    ending = [membership]
    if membership.deputy_for_id is None:
        deputies = rows.filter(
            deputy_for=membership.person_id,
            organisation=membership.organisation_id,
            role=membership.role,
        )
        ending += deputies.not_over(today)
    sent = []
    if Permission.INVITE in membership.permissions:
        sent = lock_unanswered(Invitation.objects.filter(invited_by=membership.person))
    for one in ending:
        _end(one, today, by=by, at=at)
    # Asked of the database only now, when the role is over.
    still = Invitation.objects.looked_after_by(membership.person)
    kept = set(still.filter(invited_by=membership.person).values_list("pk", flat=True))
    take_back([one for one in sent if one.pk not in kept], by=by, at=at)
    return membership


def _end(membership: Membership, today: date, *, by: User | None, at: datetime) -> None:
    # A role given for later than today is taken back before it began.
    membership.valid_to = max(today, membership.valid_from)
    membership.save(update_fields=["valid_to"])
    _note("membership.ended", membership, by=by, at=at)


def _other_administrators(membership: Membership, today: date) -> bool:
    others = Membership.objects.held_on(today).filter(
        role=Role.ADMINISTRATOR, deputy_for=None, person__is_active=True
    )
    return others.exclude(person=membership.person_id).exists()


@transaction.atomic
def appoint_deputy(
    *, membership: Membership, deputy: User, first: date, last: date, by: User, at: datetime
) -> Membership:
    """Let ``deputy`` hold a role in the place of its holder, from ``first`` to ``last`` inclusive.

    Raises :class:`Refused` when the days are over, too many or not in order, when the role is
    not held by its holder's own right on all of them, or ``deputy`` stands in already or is
    ``by``. Source: guide.md D.1, cut-over weekends.
    """
    absent = User.objects.select_for_update(no_key=True).get(pk=membership.person_id)
    held = Membership.objects.select_for_update(of=("self",)).select_related("organisation")
    membership = held.get(pk=membership.pk)
    valid_to = last + ONE_DAY
    if last < first:
        raise Refused("The last day must not be before the first day.")
    if first < london_date(at):
        raise Refused("The first day must be today or later.")
    if valid_to - first > LONGEST_DEPUTY:
        raise Refused(f"A deputy stands in for at most {LONGEST_DEPUTY.days} days.")
    if membership.deputy_for_id is not None:
        raise Refused("A deputy has no deputy: appoint one for the person they stand in for.")
    if first < membership.valid_from:
        raise Refused(f"{absent} holds the role only from {uk_date(membership.valid_from)}.")
    if membership.valid_to is not None and membership.valid_to < valid_to:
        last_day = uk_date(membership.valid_to - ONE_DAY)
        raise Refused(f"{absent} holds the role only until {last_day}.")
    if deputy == absent or not deputy.is_active:
        raise Refused(f"{deputy} cannot stand in for {absent}. Choose somebody else.")
    if deputy == by:
        raise Refused("You cannot appoint yourself. Ask somebody else to do it.")
    overlapping = Q(valid_from__lt=valid_to, valid_to__gt=first)
    if absent.deputies.filter(
        overlapping,
        person=deputy,
        organisation=membership.organisation,
        role=membership.role,
    ).exists():
        raise Refused(f"{deputy} stands in for {absent} on some of these days already.")
    standing_in = Membership.objects.create(
        person=deputy,
        organisation=membership.organisation,
        role=membership.role,
        valid_from=first,
        valid_to=valid_to,
        deputy_for=absent,
    )
    _note("deputy.appointed", standing_in, by=by, at=at, deputy_for=absent.pk)
    return standing_in


def _note(
    kind: str, membership: Membership, *, by: User | None, at: datetime, **data: object
) -> None:
    note(
        kind,
        by=by,
        at=at,
        subject=f"person:{membership.person_id}",
        organisation=membership.organisation_id,
        role=membership.role,
        **data,
    )
