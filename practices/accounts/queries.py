"""Reads for the pages about people."""

from collections.abc import Callable
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet

from practices.common.time import london_date
from practices.directory.models import Organisation

from .models import Invitation, Membership, User, UserQuerySet
from .roles import LOOKS_AFTER, Permission, Role


def offers(user: User) -> dict[Organisation, list[str]]:
    """The roles this person may give, by organisation; administrators may give all and have none
    listed."""
    found: dict[Organisation, list[str]] = {}
    for membership in user.current_memberships:
        if Permission.INVITE in membership.permissions:
            theirs = LOOKS_AFTER.get(membership.role, frozenset())
            roles = {*found.get(membership.organisation, ()), *theirs}
            if roles:
                found[membership.organisation] = [role for role in Role if role in roles]
    return found


MayInvite = Callable[[User, Organisation, str], bool]
_rules_above: list[MayInvite] = []


def register_inviting(rule: MayInvite) -> None:
    """Say where else somebody may invite; called by an upper room's ``AppConfig.ready``.

    ``rule(person, organisation, role)`` is asked of this moment.
    """
    _rules_above.append(rule)


def may_still_invite(invitation: Invitation) -> bool:
    """Whether who sent it may invite to that role at this moment: docs/roles.md.

    A role that runs out by its date withdraws nothing, so this is asked of each answer.
    """
    sender = invitation.invited_by
    if Invitation.objects.looked_after_by(sender).filter(pk=invitation.pk).exists():
        return True
    return any(rule(sender, invitation.organisation, invitation.role) for rule in _rules_above)


def people_of(user: User, *, words: str, now: datetime) -> UserQuerySet:
    """Whom this person looks after, in order of name, with ``shown_memberships``."""
    today = london_date(now)
    found: UserQuerySet = User.objects.looked_after_by(user, today).search(words)
    return found.prefetch_related(memberships_of(user, today)).order_by("name", "pk")


def memberships_of(user: User, today: date) -> Prefetch:
    """The roles of people that this person may know of, held now or later."""
    shown = Membership.objects.looked_after_by(user).not_over(today)
    return Prefetch(
        "memberships",
        shown.select_related("organisation", "deputy_for").order_by("valid_from", "pk"),
        to_attr="shown_memberships",
    )


def invitations_of(user: User) -> QuerySet[Invitation]:
    """Invitations nobody has answered, that this person decides about, newest first."""
    return (
        Invitation.objects.unanswered()
        .looked_after_by(user)
        .select_related("organisation", "invited_by")
        .order_by("-mail_asked_at", "-pk")
    )


def colleagues(membership: Membership, today: date) -> QuerySet[User]:
    """Who else has a role of their own in the organisation of a membership today."""
    there = Membership.objects.held_on(today).filter(
        organisation=membership.organisation_id, deputy_for=None
    )
    return User.objects.filter(pk__in=there.values("person"), is_active=True).exclude(
        pk=membership.person_id
    )


def own_roles(person: User, today: date) -> QuerySet[Membership]:
    """What a person holds now or later, in their own right and in the place of others."""
    return _in_order(person.memberships.not_over(today))


def deputies_of(person: User, today: date) -> QuerySet[Membership]:
    """Who stands in for a person now or later."""
    return _in_order(Membership.objects.filter(deputy_for=person).not_over(today))


def _in_order(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    return memberships.select_related("person", "organisation", "deputy_for").order_by(
        "valid_from", "pk"
    )
