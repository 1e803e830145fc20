"""Tasks of a migration, with their notes and evidence."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from practices.accounts.models import Membership, User
from practices.accounts.roles import PORTFOLIO_ROLES, PRACTICE_ROLES, Owner, Role
from practices.common.history import AppendOnly, tracked
from practices.common.models import StoredFile, Text
from practices.common.time import london_date
from practices.directory.models import CommissionerLink
from practices.plans.models import PlanTask, Unit

from .migration import Migration, Phase
from .separation import OneSided, OneSidedQuerySet


def assignee_is_here(day: date) -> Exists:
    """Whether a task's assignee holds a role in its migration that gives them tasks.

    The rule of ``Migration.roles_of`` for the tasks of any migrations at once.
    """
    commissioner = CommissionerLink.objects.filter(
        practice=OuterRef(OuterRef("migration__practice")), valid_to=None
    )
    return Exists(
        Membership.objects.held_on(day).filter(
            Q(role__in=PRACTICE_ROLES, organisation=OuterRef("migration__practice"))
            | Q(role__in=PORTFOLIO_ROLES, organisation=OuterRef("migration__run_by"))
            | Q(role=Role.SUPPLIER, organisation=OuterRef("migration__target_system__supplier"))
            | Q(role=Role.SUPPLIER, organisation=OuterRef("migration__source_system__supplier"))
            | Q(role=Role.COMMISSIONER, organisation__in=commissioner.values("commissioner")),
            person=OuterRef("assignee"),
            person__is_active=True,
        )
    )


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> "TaskQuerySet":
        """Still to do: open or blocked."""
        return self.filter(state__in=Task.UNFINISHED)

    def asked_for(self) -> "TaskQuerySet":
        """Open, and the plan still asks for it: what left the plan can be done, and need not."""
        return self.open().filter(left_plan=False)

    def overdue(self, now: datetime) -> "TaskQuerySet":
        return self.asked_for().filter(due_at__lte=now)

    def left_behind(self, now: datetime) -> "TaskQuerySet":
        """Assigned to somebody who has no part in the migration any more."""
        return self.filter(~assignee_is_here(london_date(now)), assignee__isnull=False)

    def belonging_to(self, user: User, migration: Migration, now: datetime) -> "TaskQuerySet":
        """Assigned to this person, or owned by a role they hold here and with nobody.

        A task is with nobody when it is not assigned, or to somebody who has left. A
        deputy has what is assigned to the person they stand in for.
        """
        roles = migration.roles_of(user)
        if roles & PRACTICE_ROLES:
            # A third-party supplier is a contact, not a user: the practice ticks for it.
            roles |= {Owner.THIRD_PARTY_SUPPLIER}
        with_nobody = ~assignee_is_here(london_date(now))
        assigned = {user.pk} | migration.stands_in_for(user)
        return self.filter(Q(assignee__in=assigned) | Q(with_nobody, owner__in=roles))

    def soonest_first(self) -> "TaskQuerySet":
        return self.order_by("due_at", "phase__position", "code")

    def in_plan_order(self) -> "TaskQuerySet":
        """As the plan lists them; tasks of the migration's own come last."""
        return self.order_by("phase__position", "position", "code")

    def with_people(self) -> "TaskQuerySet":
        return self.select_related(
            "phase__plan_phase",
            "plan_task__signs__gate",
            "own_title",
            "own_guidance",
            "reason",
            "assignee",
            "settled_by",
        )


@tracked()
class Task(models.Model):
    """One thing to do in one migration.

    The code is its identity; wording comes through the frozen plan task, or,
    for a task added to this migration, from texts of its own. ``settled_by``
    and ``settled_at`` say who last ticked it, set it aside or blocked it.
    ``version`` counts changes, so that a stale page is noticed.
    """

    class State(models.TextChoices):
        OPEN = "open", "To do"
        BLOCKED = "blocked", "Blocked"
        DONE = "done", "Done"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    UNFINISHED: ClassVar[tuple[str, ...]] = (State.OPEN, State.BLOCKED)

    # Moving a migration to another version of its plan changes each of its tasks, and with it each
    # index that holds them: so the two below serve where one of a column alone would, and texts
    # are indexed where they are given.
    migration = models.ForeignKey(
        Migration, on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    plan_task = models.ForeignKey(PlanTask, null=True, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    own_title = models.ForeignKey(
        Text, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    own_guidance = models.ForeignKey(
        Text, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    owner = models.CharField(max_length=25, choices=Owner)
    mandatory = models.BooleanField(default=True)
    assignee = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks", db_index=False
    )
    state = models.CharField(max_length=14, choices=State, default=State.OPEN)
    anchor = models.CharField(max_length=20, blank=True)
    offset = models.SmallIntegerField(null=True)
    unit = models.CharField(max_length=12, choices=Unit, blank=True)
    due_on = models.DateField()
    due_at = models.DateTimeField(help_text="exclusive: late from this instant on")
    pinned = models.BooleanField(default=False, help_text="keeps its date when anchors move")
    settled_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(null=True)
    reason = models.ForeignKey(
        Text, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    fell_away = models.BooleanField(
        default=False, help_text="set aside by an answer about the practice, not by hand"
    )
    left_plan = models.BooleanField(
        default=False, help_text="kept for its history: the plan asks for it no longer"
    )
    version = models.PositiveIntegerField(default=1)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["migration", "code"], name="task_once"),
            models.CheckConstraint(
                condition=Q(state="open", settled_by=None, settled_at=None)
                | (~Q(state="open") & Q(settled_by__isnull=False, settled_at__isnull=False)),
                name="task_settled_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("blocked", "not_applicable")) | Q(reason__isnull=False),
                name="task_set_aside_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(fell_away=False) | Q(state="not_applicable"),
                name="task_fell_away_is_not_applicable",
            ),
            models.CheckConstraint(
                condition=Q(plan_task__isnull=False) | Q(own_title__isnull=False),
                name="task_has_a_title",
            ),
            models.CheckConstraint(
                condition=Q(anchor="", offset=None, unit="")
                | (~Q(anchor="") & Q(offset__isnull=False) & ~Q(unit="")),
                name="task_offset_whole",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["due_at", "migration"],
                name="task_unfinished_due",
                condition=Q(state__in=("open", "blocked")),
            ),
            models.Index(
                fields=["assignee", "due_at"],
                name="task_assigned_due",
                condition=Q(state__in=("open", "blocked"), assignee__isnull=False),
            ),
            models.Index(fields=["phase", "position"], name="task_in_phase"),
            *(
                models.Index(
                    fields=[text],
                    name=f"task_{text}",
                    condition=Q(**{f"{text}__isnull": False}),
                )
                for text in ("own_title", "own_guidance", "reason")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def title(self) -> str:
        return self.plan_task.title if self.plan_task else str(self.own_title)

    @property
    def guidance(self) -> str:
        if self.plan_task:
            return self.plan_task.guidance
        return str(self.own_guidance) if self.own_guidance else ""

    @property
    def lesson(self) -> str:
        return self.plan_task.lesson if self.plan_task else ""

    @property
    def condition(self) -> str:
        return self.plan_task.condition if self.plan_task else ""

    @property
    def applies_if(self) -> list[str]:
        """The conditions of the plan under which it applies; see ``rules.cannot_hold``."""
        return self.plan_task.applies_if if self.plan_task else []

    @property
    def evidence_expected(self) -> str:
        return self.plan_task.evidence if self.plan_task else ""

    @property
    def records(self) -> str:
        """The key date that doing this records, if any."""
        return self.plan_task.records if self.plan_task and not self.left_plan else ""

    @property
    def seat(self) -> Any:
        """The plan's seat that doing this signs, if any."""
        return self.plan_task.signs if self.plan_task and not self.left_plan else None

    @property
    def is_timed(self) -> bool:
        """Whether it is due at a minute, not on a day."""
        return self.unit == Unit.HOURS and not self.pinned

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED

    def is_overdue(self, now: datetime) -> bool:
        return self.is_unfinished and not self.left_plan and self.due_at <= now

    def is_owned_by(self, roles: frozenset[str]) -> bool:
        """Whether it is a task of somebody who acts as one of these roles in the migration."""
        if self.owner == Owner.THIRD_PARTY_SUPPLIER:
            return bool(roles & PRACTICE_ROLES)
        return self.owner in roles


class TaskNote(OneSided, AppendOnly):
    """A remark on a task; remarks are added, never changed.

    A lesson is meant for other practices: who shapes the plan is shown it (queries/lessons.py).
    """

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="notes")
    text = models.ForeignKey(Text, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    is_lesson = models.BooleanField(default=False)

    objects = OneSidedQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        ordering: ClassVar[list[str]] = ["at", "pk"]

    def __str__(self) -> str:
        return f"note on {self.task_id}"


@tracked()
class Evidence(OneSided):
    """What shows that a task was done: a link or a file."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="evidence")
    link = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects = OneSidedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(link__isnull=False, file=None) | Q(link=None, file__isnull=False),
                name="evidence_is_link_or_file",
            )
        ]

    def __str__(self) -> str:
        return str(self.file or self.link)
