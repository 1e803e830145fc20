"""People and the organisations they belong to.

A person has no rights of their own: every right comes from a membership of an
organisation with a role, held on the day (house.md decision 3).
"""

from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from practices.common import clock
from practices.common.history import tracked
from practices.common.time import london_date
from practices.directory.models import Organisation

from .roles import SEE_ALL_ROLES, Permission, Role, permissions_of


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


@tracked(exclude=("password", "last_login", "email", "name"))
class User(AbstractBaseUser):
    """A person who signs in with an e-mail address. Names stay out of row history."""

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
        return permission in permissions_of(self.roles)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def held_on(self, day: date) -> "MembershipQuerySet":
        return self.filter(valid_from__lte=day).filter(Q(valid_to=None) | Q(valid_to__gt=day))


@tracked()
class Membership(models.Model):
    """A person's role in an organisation; ``valid_to`` is the first day it is no longer held."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=Role)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

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
        ]

    def __str__(self) -> str:
        return f"{self.person} is {self.get_role_display()} of {self.organisation}"
