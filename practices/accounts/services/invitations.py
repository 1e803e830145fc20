"""Invitations: the one way to an account. Who may invite whom is docs/roles.md."""

import secrets
from datetime import date, datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from practices.accounts.models import Invitation, Membership, User
from practices.accounts.queries import may_still_invite
from practices.accounts.roles import PORTFOLIO_ROLES, PRACTICE_ROLES, Role
from practices.common.errors import Refused
from practices.common.time import london_date, start_of_london_day
from practices.directory.models import Organisation

from ._base import lock_unanswered, note_invitation, take_back
from .memberships import add_membership, must_fit
from .people import add_person, tidy

VALID_FOR = timedelta(days=14)
NONCE_BYTES = 16


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    organisation: Organisation,
    role: str,
    valid_to: date | None = None,
    by: User,
    at: datetime,
) -> Invitation:
    """Offer a role to whoever reads mail at an address; the reminders room writes to them.

    ``valid_to`` is the first day the role is no longer held. The caller has checked that
    ``by`` may give this role here. Raises :class:`Refused` when the address or the name
    is none or is that of ``by``, the role does not fit, somebody has it already or is
    invited to it, or it is a practice's and they run migrations (docs/roles.md).
    """
    email, name = tidy(email=email, name=name)
    if email == by.email:
        raise Refused("This is your own address. Ask somebody else to invite you.")
    must_fit(role, organisation)
    _must_keep_sides_apart(role, email, by=by, at=at)
    # Two people who invite the same address wait for each other.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if valid_to and valid_to <= london_date(at):
        raise Refused("The last day of the role is over.")
    held = Membership.objects.not_over(london_date(at)).filter(
        person__email=email, organisation=organisation, role=role, deputy_for=None
    )
    if held.exists():
        raise Refused(f"{email} is already {Role(role).label.lower()} of {organisation}.")
    before = lock_unanswered(
        Invitation.objects.filter(email=email, organisation=organisation, role=role)
    )
    if any(invitation.is_open(at) for invitation in before):
        raise Refused(f"{email} is invited to this role already. Send that invitation again.")
    take_back(before, by=by, at=at)
    invitation = Invitation.objects.create(
        email=email,
        name=name,
        organisation=organisation,
        role=role,
        valid_to=valid_to,
        invited_by=by,
        invited_at=at,
        expires_at=_expiry(at, valid_to),
        mail_asked_at=at,
        nonce=secrets.token_hex(NONCE_BYTES),
    )
    note_invitation("invitation.sent", invitation, by=by, at=at)
    return invitation


@transaction.atomic
def send_again(*, invitation: Invitation, by: User, at: datetime) -> Invitation:
    """A new mail with a new link, good for another fourteen days; older links stop working.

    From now on ``by`` is who invites. Raises :class:`Refused` when it was accepted or
    withdrawn, or went to the address of ``by``.
    """
    invitation = _lock_unanswered(invitation)
    if invitation.email == by.email:
        raise Refused("This is your own address. Ask somebody else to invite you.")
    invitation.invited_by = by
    invitation.nonce = secrets.token_hex(NONCE_BYTES)
    invitation.mail_asked_at = at
    invitation.expires_at = _expiry(at, invitation.valid_to)
    invitation.save(update_fields=["invited_by", "nonce", "mail_asked_at", "expires_at"])
    note_invitation("invitation.sent_again", invitation, by=by, at=at)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: User, at: datetime) -> None:
    """Take an invitation back: its link stops working, and a mail that waits is not sent.

    Raises :class:`Refused` when it was accepted or withdrawn.
    """
    take_back([_lock_unanswered(invitation)], by=by, at=at)


@transaction.atomic
def join(*, invitation: Invitation, name: str, password: str, at: datetime) -> User:
    """Make the account of somebody new who opened their link, and give them the role.

    Raises :class:`Refused` when the link was used meanwhile, there is an account by now or
    whoever sent it may not invite any more, ``ValidationError`` when the password is too weak.
    """
    _lock_person(email=invitation.email)
    invitation = _lock_open(invitation, at)
    validate_password(password, User(email=invitation.email, name=name))
    person = add_person(email=invitation.email, name=name, password=password, by=None, at=at)
    _accept(invitation, person, at=at)
    return person


@transaction.atomic
def accept(*, invitation: Invitation, by: User, at: datetime) -> None:
    """Take the role up with the account one has. Holding it already is no mistake.

    Raises :class:`Refused` when the invitation is for another address, was used meanwhile, or
    is one that :func:`invite` would refuse by now, or whoever sent it may not invite any more.
    """
    by = _lock_person(pk=by.pk) or by
    invitation = _lock_open(invitation, at)
    if by.email != invitation.email:
        raise Refused("This invitation was sent to another address. Sign in with that one.")
    _accept(invitation, by, at=at)


def _must_keep_sides_apart(role: str, email: str, *, by: User, at: datetime) -> None:
    """Practice sign-offs are given by the practice only, so who runs migrations gets no say there.

    Whoever may invite to a practice could otherwise make its manager of a colleague.
    Administrators decide the rare case of somebody who does belong to both.
    """
    if role not in PRACTICE_ROLES:
        return
    today = london_date(at)
    runs = Membership.objects.held_on(today).filter(person__email=email, role__in=PORTFOLIO_ROLES)
    own = by.memberships.held_on(today).filter(role=Role.ADMINISTRATOR, deputy_for=None)
    if runs.exists() and not own.exists():
        raise Refused(
            f"{email} is a project manager, trainer or delivery partner. Practice sign-offs are "
            "given by the practice only, so ask an administrator to invite them."
        )


def _accept(invitation: Invitation, person: User, *, at: datetime) -> None:
    if person == invitation.invited_by:
        raise Refused("You sent this invitation yourself. Ask somebody else to invite you.")
    if not may_still_invite(invitation):
        raise Refused(
            f"{invitation.invited_by} may not invite you to this role any more. "
            "Ask for another invitation."
        )
    _must_keep_sides_apart(invitation.role, person.email, by=invitation.invited_by, at=at)
    own = person.memberships.filter(
        organisation=invitation.organisation, role=invitation.role, deputy_for=None
    )
    if not own.not_over(london_date(at)).exists():
        add_membership(
            person=person,
            organisation=invitation.organisation,
            role=invitation.role,
            valid_to=invitation.valid_to,
            by=invitation.invited_by,
            at=at,
        )
    invitation.accepted_at, invitation.accepted_by = at, person
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    note_invitation("invitation.accepted", invitation, by=person, at=at)


def _expiry(at: datetime, valid_to: date | None) -> datetime:
    """Fourteen days, but not beyond the role itself."""
    last = at + VALID_FOR
    return min(last, start_of_london_day(valid_to)) if valid_to else last


def _lock_person(**who: object) -> User | None:
    """Who may be forgotten at this moment: their row before the invitation's, as there."""
    return User.objects.select_for_update(no_key=True).filter(**who).first()


def _lock(invitation: Invitation) -> Invitation:
    return (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("organisation", "invited_by")
        .get(pk=invitation.pk)
    )


def _lock_unanswered(invitation: Invitation) -> Invitation:
    invitation = _lock(invitation)
    if invitation.accepted_at:
        raise Refused("The invitation was accepted, so it cannot be changed any more.")
    if invitation.withdrawn_at:
        raise Refused("The invitation was withdrawn. Invite the person again.")
    return invitation


def _lock_open(invitation: Invitation, at: datetime) -> Invitation:
    nonce = invitation.nonce
    invitation = _lock(invitation)
    if not invitation.is_open(at) or invitation.nonce != nonce:
        raise Refused("This invitation does not work any more. Ask for another one.")
    return invitation
