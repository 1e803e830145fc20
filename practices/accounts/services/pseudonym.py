"""Forgetting who somebody was. What they did stays, under a number (reliability.md 7.2)."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q, QuerySet

from practices.accounts.models import Invitation, Membership, User
from practices.common.errors import Refused
from practices.common.time import london_date

from ._base import lock_unanswered, note, take_back
from .memberships import end_membership
from .people import close_account

# Nothing is ever delivered below .invalid (RFC 2606), so these addresses reach nobody.
FORMER = "@former.invalid"


@transaction.atomic
def pseudonymise(*, person: User, by: User | None, at: datetime) -> list[Membership]:
    """Remove a person's name, address and password for good; returns the roles that ended.

    Their id stays, and with it everything they signed and did: events, signatures and row
    history hold ids, so no seal breaks. ``by`` is nobody when a command does it. Cannot be
    undone. Raises :class:`Refused` where it was done before, for one's own account, and
    for the last administrator.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.email.endswith(FORMER):
        raise Refused(f"{person} was pseudonymised before.")
    # All rows before the first event: whoever has one of these rows may wait for the chain.
    roles = Membership.objects.filter(Q(person=person) | Q(deputy_for=person))
    list(roles.select_for_update().order_by("pk"))
    list(_invitations_of(person).select_for_update(of=("self",)).order_by("pk"))
    ended = [
        end_membership(membership=membership, by=by, at=at)
        for membership in person.memberships.not_over(london_date(at)).order_by("pk")
    ]
    close_account(person=person, by=by, at=at)
    name, email = f"Former user {person.pk}", f"former-user-{person.pk}{FORMER}"
    _forget_invitations(person, name=name, email=email, by=by, at=at)
    EmailAddress.objects.filter(user=person).delete()
    person.refresh_from_db()
    person.name, person.email = name, email
    person.set_unusable_password()
    person.save(update_fields=["name", "email", "password"])
    note(
        "person.pseudonymised",
        by=by,
        at=at,
        subject=f"person:{person.pk}",
        memberships=[membership.pk for membership in ended],
    )
    return ended


def _forget_invitations(
    person: User, *, name: str, email: str, by: User | None, at: datetime
) -> None:
    """Those sent to their address, and those they accepted at another one."""
    sent = Invitation.objects.filter(email=person.email)
    take_back(lock_unanswered(sent), by=by, at=at)
    for theirs in (sent, Invitation.objects.filter(accepted_by=person)):
        theirs.update(name=name, email=email)


def _invitations_of(person: User) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        Q(email=person.email) | Q(accepted_by=person) | Q(invited_by=person)
    )
