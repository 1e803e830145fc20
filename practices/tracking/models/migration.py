"""A practice's migration, its key dates and phases, and who may see it."""

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from practices.accounts.models import Membership, User
from practices.accounts.roles import (
    PORTFOLIO_ROLES,
    PRACTICE_ROLES,
    SEE_ALL_ROLES,
    Owner,
    Permission,
    Role,
)
from practices.common.history import tracked
from practices.common.models import Text
from practices.common.time import london_date
from practices.directory.models import ClinicalSystem, CommissionerLink, Organisation, Practice
from practices.plans.models import PlanKeyDate, PlanPhase, PlanVersion
from practices.plans.rules import Moment

SUPPLIER_SIDES = frozenset({Owner.TARGET_SUPPLIER, Owner.SOURCE_SUPPLIER})
COUNTERS = ("done_count", "open_count", "blocked_count", "not_applicable_count")


class Counters(models.Model):
    """How many tasks stand where; kept in the transaction of each tick (decision 5)."""

    done_count = models.PositiveIntegerField(default=0)
    open_count = models.PositiveIntegerField(default=0)
    blocked_count = models.PositiveIntegerField(default=0)
    not_applicable_count = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def needed_count(self) -> int:
        """Tasks that apply: all but those marked not applicable."""
        return self.done_count + self.open_count + self.blocked_count

    @property
    def percent_done(self) -> int:
        """Whole percent of the tasks that apply; rounded down, so 100 means all."""
        return self.done_count * 100 // self.needed_count if self.needed_count else 100


class MigrationQuerySet(models.QuerySet["Migration"]):
    def active(self) -> "MigrationQuerySet":
        return self.filter(state__in=Migration.ACTIVE_STATES)

    def not_deleted(self) -> "MigrationQuerySet":
        return self.exclude(state=Migration.State.DELETED)

    def visible_to(self, user: User) -> "MigrationQuerySet":
        """The migrations this person may see today (guide.md D.1).

        A practice's people see their practice, portfolio roles what their
        organisation runs, suppliers what they supply, commissioners the
        practices they commission now; administrators and national viewers all.
        """
        if user.sees_all:
            return self.not_deleted()
        suppliers = user.organisations(Role.SUPPLIER)
        parts = {
            "practice__in": user.organisations(*PRACTICE_ROLES),
            "run_by__in": user.organisations(*PORTFOLIO_ROLES),
            "target_system__supplier__in": suppliers,
            "source_system__supplier__in": suppliers,
        }
        # Only what the person is: this is asked several times for every page.
        sees = Q(pk__in=[])
        for part, organisations in parts.items():
            if organisations:
                sees |= Q(**{part: organisations})
        if commissioners := user.organisations(Role.COMMISSIONER):
            links = CommissionerLink.objects.filter(commissioner__in=commissioners, valid_to=None)
            sees |= Q(practice__in=links.values("practice"))
        return self.not_deleted().filter(sees)

    def of_membership(self, membership: Membership) -> "MigrationQuerySet":
        """Those in which a role of an organisation has a part; of who sees all, none."""
        role, organisation = membership.role, membership.organisation_id
        if role in PRACTICE_ROLES:
            return self.filter(practice=organisation)
        if role in PORTFOLIO_ROLES:
            return self.filter(run_by=organisation)
        if role == Role.SUPPLIER:
            return self.filter(
                Q(target_system__supplier=organisation) | Q(source_system__supplier=organisation)
            )
        if role == Role.COMMISSIONER:
            links = CommissionerLink.objects.filter(commissioner=organisation, valid_to=None)
            return self.filter(practice__in=links.values("practice"))
        return self.none()

    def with_people(self) -> "MigrationQuerySet":
        return self.select_related(
            "practice__organisation",
            "plan_version__plan",
            "source_system__supplier",
            "target_system__supplier",
            "project_manager",
            "run_by",
        )


@tracked(exclude=COUNTERS)
class Migration(Counters):
    """One practice moving from one clinical system to another.

    ``reference`` is its address and never changes. The database allows one
    active migration for a practice.
    """

    class State(models.TextChoices):
        PLANNING = "planning", "Planning"
        CUT_OVER = "cut_over", "Cut-over"
        POST_GO_LIVE = "post_go_live", "Post go-live"
        ACCESS_ENDED = "access_ended", "Old-system access ended"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"
        DELETED = "deleted", "Deleted"

    ACTIVE_STATES: ClassVar[tuple[str, ...]] = (
        State.PLANNING,
        State.CUT_OVER,
        State.POST_GO_LIVE,
        State.ACCESS_ENDED,
    )

    reference = models.SlugField(max_length=20, unique=True)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNING)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="migrations")
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="migrations"
    )
    source_system = models.ForeignKey(
        ClinicalSystem, on_delete=models.PROTECT, related_name="migrations_from"
    )
    target_system = models.ForeignKey(
        ClinicalSystem, on_delete=models.PROTECT, related_name="migrations_to"
    )
    commissioner_at_start = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="+"
    )
    run_by = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="migrations_run",
        help_text="the organisation whose project managers run it",
    )
    project_manager = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="migrations_managed"
    )
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")

    objects = MigrationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["practice"],
                condition=Q(state__in=("planning", "cut_over", "post_go_live", "access_ended")),
                name="one_active_migration_per_practice",
            ),
            models.CheckConstraint(
                condition=~Q(source_system=F("target_system")), name="systems_differ"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=("planning", "cut_over", "post_go_live", "access_ended"),
                    ended_at__isnull=True,
                )
                | Q(state__in=("finished", "cancelled", "deleted"), ended_at__isnull=False),
                name="ended_exactly_when_over",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("cancelled", "deleted")) | Q(end_reason__isnull=False),
                name="ended_early_with_a_reason",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["state", "reference"], name="migration_state")
        ]

    def __str__(self) -> str:
        return f"{self.practice.organisation.name}: {self.source_system} to {self.target_system}"

    @property
    def stream(self) -> str:
        """The name of this migration's chain of events."""
        return f"migration:{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE_STATES

    @property
    def name(self) -> str:
        return self.practice.organisation.name

    @property
    def target_supplier_id(self) -> int:
        return self.target_system.supplier_id

    @property
    def source_supplier_id(self) -> int:
        return self.source_system.supplier_id

    def memberships_of(self, user: User) -> list[tuple[Membership, str]]:
        """Pairs of (membership, owner key it acts as here) of a person in this migration."""
        pairs: list[tuple[Membership, str]] = []
        for membership in user.current_memberships:
            role, organisation = membership.role, membership.organisation_id
            if (role in PRACTICE_ROLES and organisation == self.practice_id) or (
                role in PORTFOLIO_ROLES and organisation == self.run_by_id
            ):
                pairs.append((membership, role))
            elif role == Role.SUPPLIER:
                if organisation == self.target_supplier_id:
                    pairs.append((membership, Owner.TARGET_SUPPLIER))
                if organisation == self.source_supplier_id:
                    pairs.append((membership, Owner.SOURCE_SUPPLIER))
            elif (
                role == Role.COMMISSIONER and organisation in self.commissioner_ids
            ) or role in SEE_ALL_ROLES:
                pairs.append((membership, role))
        return pairs

    def is_visible_to(self, user: User) -> bool:
        """Whether this person may see it today: ``visible_to``, of a migration that was read."""
        return self.state != self.State.DELETED and bool(self.memberships_of(user))

    @cached_property
    def commissioner_ids(self) -> set[int]:
        """The organisations that commission the practice now; at most one."""
        return set(
            CommissionerLink.objects.filter(practice=self.practice_id, valid_to=None).values_list(
                "commissioner", flat=True
            )
        )

    def roles_of(self, user: User) -> frozenset[str]:
        """The owner keys this person acts as here: whose tasks and which seats are theirs."""
        return frozenset(owner for _, owner in self.memberships_of(user))

    def side_of(self, user: User) -> str:
        """The supplier this person acts for here, new or old; empty for neither or both."""
        sides = self.roles_of(user) & SUPPLIER_SIDES
        return next(iter(sides)) if len(sides) == 1 else ""

    def closed_to(self, user: User) -> str:
        """The supplier whose notes and evidence this person may not read; empty for most.

        It is the other one, for those who see the migration as one supplier and as
        nothing else (guide.md D.1). An organisation that is both reads both.
        """
        roles = self.roles_of(user)
        if len(roles) == 1 and roles < SUPPLIER_SIDES:
            return next(iter(SUPPLIER_SIDES - roles))
        return ""

    def stands_in_for(self, user: User) -> frozenset[int]:
        """Ids of the absent people whose deputy this person is here today."""
        return frozenset(
            membership.deputy_for_id
            for membership, _ in self.memberships_of(user)
            if membership.deputy_for_id is not None
        )

    def permissions_of(self, user: User) -> frozenset[Permission]:
        return frozenset().union(*(m.permissions for m, _ in self.memberships_of(user)))

    def allows(self, user: User, permission: Permission) -> bool:
        return permission in self.permissions_of(user)


class KeyDateQuerySet(models.QuerySet["KeyDate"]):
    def in_order(self) -> "KeyDateQuerySet":
        return self.order_by("planned_at", "plan_key_date__position")


@tracked()
class KeyDate(models.Model):
    """A date other dates hang on: planned, then actual.

    A day has only ``_on``; a day and time has ``_at`` as well, and ``_on`` is
    its London date. ``planned_at`` is always filled so dates sort: for a day,
    the instant it ends. ``offset`` counts from go-live, in minutes or days,
    and follows the date when it is moved by hand.
    """

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="key_dates")
    plan_key_date = models.ForeignKey(PlanKeyDate, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=20)
    planned_on = models.DateField()
    planned_at = models.DateTimeField()
    actual_on = models.DateField(null=True)
    actual_at = models.DateTimeField(null=True)
    offset = models.IntegerField(
        null=True, help_text="from go-live: minutes for a time, days for a day"
    )
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = KeyDateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["migration", "key"], name="key_date_once"),
            models.CheckConstraint(
                condition=Q(actual_on=None, actual_at=None, recorded_by=None)
                | Q(actual_on__isnull=False, actual_at__isnull=False, recorded_by__isnull=False),
                name="key_date_recorded_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.plan_key_date.title

    @property
    def has_time(self) -> bool:
        return self.plan_key_date.precision == PlanKeyDate.Precision.MINUTE

    @property
    def follows(self) -> bool:
        """Whether it is computed from another fact, so nobody plans it by hand."""
        return bool(self.plan_key_date.same_as or self.plan_key_date.clock)

    @property
    def planned(self) -> Moment:
        return Moment(on=self.planned_on, at=self.planned_at)

    @property
    def actual(self) -> Moment | None:
        if self.actual_on is None or self.actual_at is None:
            return None
        return Moment(on=self.actual_on, at=self.actual_at)

    @property
    def moment(self) -> Moment:
        """What counts: the actual one once recorded."""
        return self.actual or self.planned

    @property
    def on(self) -> Any:
        """The day that counts: the actual one once recorded."""
        return self.actual_on or self.planned_on

    @property
    def at(self) -> datetime:
        """The instant that counts; for a day, the instant it ends."""
        return self.actual_at or self.planned_at

    def is_late(self, now: datetime) -> bool:
        return self.actual_at is None and self.planned_at <= now

    def days_to(self, now: datetime) -> int:
        """Calendar days from the London date of ``now``; negative once past."""
        return (self.on - london_date(now)).days


@tracked(exclude=COUNTERS)
class Phase(Counters):
    """A phase of one migration; its name is that of the plan it was started from."""

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="phases")
    plan_phase = models.ForeignKey(PlanPhase, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["migration", "key"], name="phase_once")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.plan_phase.title


@tracked(private=("name", "telephone", "email"))
class Contact(models.Model):
    """Somebody to call: of a supplier, a laboratory, the practice; not a person who signs in."""

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="contacts")
    role = models.CharField(max_length=25, choices=Owner)
    name = models.CharField(max_length=150)
    organisation = models.CharField(max_length=150, blank=True)
    telephone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=~Q(telephone="", email=""), name="contact_can_be_reached"
            )
        ]

    def __str__(self) -> str:
        return self.name
