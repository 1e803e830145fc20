"""People and the organisations they belong to.

A person has no rights of their own: every right comes from a membership of an
organisation with a role, held on the day (house.md decision 3).
"""

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from practices.common import clock
from practices.common.history import tracked
from practices.common.prepared import Instant
from practices.common.time import london_date
from practices.directory.models import Organisation

from .roles import LOOKS_AFTER, SEE_ALL_ROLES, Permission, Role, permissions_of

ONE_DAY = timedelta(days=1)


class UserQuerySet(models.QuerySet["User"]):
    def looked_after_by(self, user: "User", day: date) -> "UserQuerySet":
        """Whom this person looks after; administrators everybody, also who holds no role."""
        if user.may(Permission.MANAGE_ACCOUNTS):
            return self
        theirs = Membership.objects.looked_after_by(user).not_over(day)
        return self.filter(pk__in=theirs.values("person"))

    def search(self, words: str) -> "UserQuerySet":
        """People with each of these words in their name or email address."""
        found = self
        for word in words.split():
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
        return found


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


@tracked(exclude=("last_login",), private=("password", "email", "name"))
class User(AbstractBaseUser):
    """A person who signs in with an email address."""

    email = models.EmailField("email address", max_length=254, unique=True)
    name = models.CharField("full name", max_length=150)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=clock.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case")
        ]

    def __str__(self) -> str:
        return self.name

    def check_password(self, raw_password: str | None) -> bool:
        """Without Django's unrecorded write of a newer hash: ``renew_password_hash`` does that."""
        return check_password(raw_password, self.password)

    @cached_property
    def current_memberships(self) -> "list[Membership]":
        """What this person holds today; read once per request, so leaving works at the next."""
        if not self.is_active:
            return []
        today = london_date(clock.now())
        return list(self.memberships.held_on(today).select_related("organisation"))

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(membership.role for membership in self.current_memberships)

    def organisations(self, *roles: str) -> list[int]:
        """Ids of the organisations where this person holds one of ``roles`` today."""
        return [m.organisation_id for m in self.current_memberships if m.role in roles]

    @property
    def sees_all(self) -> bool:
        return bool(self.roles & SEE_ALL_ROLES)

    def may(self, permission: Permission) -> bool:
        """Whether a role held today allows this somewhere; of one migration, ask that."""
        return any(permission in membership.permissions for membership in self.current_memberships)


def looked_after_by(user: User) -> Q:
    """Of rows with an organisation and a role, those that ``user`` decides about.

    The rule of docs/roles.md "Who may invite whom", without what only a migration tells.
    """
    if user.may(Permission.MANAGE_ACCOUNTS):
        return Q()
    found = Q(pk__in=[])
    for membership in user.current_memberships:
        if Permission.INVITE in membership.permissions:
            roles = LOOKS_AFTER.get(membership.role, ())
            found |= Q(organisation=membership.organisation_id, role__in=roles)
    return found


class MembershipQuerySet(models.QuerySet["Membership"]):
    def held_on(self, day: date) -> "MembershipQuerySet":
        return self.filter(valid_from__lte=day).not_over(day)

    def not_over(self, day: date) -> "MembershipQuerySet":
        """Held on this day, or to be held later."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day))

    def looked_after_by(self, user: User) -> "MembershipQuerySet":
        return self.filter(looked_after_by(user))


@tracked()
class Membership(models.Model):
    """A person's role in an organisation; ``valid_to`` is the first day it is no longer held.

    ``deputy_for`` is the absent person in whose place they hold it, for those days.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=Role)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    deputy_for = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="deputies"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["person", "organisation", "role"],
                condition=Q(valid_to=None),
                name="membership_open_once",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="membership_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(deputy_for=None)
                | (Q(valid_to__isnull=False) & ~Q(deputy_for=F("person"))),
                name="membership_deputy_for_a_while",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} is {self.get_role_display()} of {self.organisation}"

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.role, deputy=self.deputy_for_id is not None)

    @property
    def until(self) -> date | None:
        """The last day it is held, as people say it; None without an end."""
        return self.valid_to - ONE_DAY if self.valid_to else None


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def unanswered(self) -> "InvitationQuerySet":
        """Neither accepted nor withdrawn; it may have expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def open(self, now: Instant) -> "InvitationQuerySet":
        return self.unanswered().filter(expires_at__gt=now)

    def looked_after_by(self, user: User) -> "InvitationQuerySet":
        return self.filter(looked_after_by(user))


@tracked(private=("email", "name", "nonce"))
class Invitation(models.Model):
    """A role in an organisation, offered to whoever reads mail at an address.

    The link's token is not kept: it is reckoned from the id and ``nonce`` with the
    secret key (tokens.py). Sending again changes the nonce, so older links die.
    ``mail_asked_at`` is when its present mail was asked for.
    """

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=150)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="invitations"
    )
    role = models.CharField(max_length=20, choices=Role)
    valid_to = models.DateField(null=True, blank=True, help_text="of the role, as in a membership")
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="exclusive")
    mail_asked_at = models.DateTimeField()
    nonce = models.CharField(max_length=32)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["email", "organisation", "role"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invitation_email_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False, withdrawn_at=None),
                name="invitation_accepted_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    def is_open(self, now: datetime) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None and now < self.expires_at

    @property
    def until(self) -> date | None:
        """The last day of the role, as people say it; None without an end."""
        return self.valid_to - ONE_DAY if self.valid_to else None
