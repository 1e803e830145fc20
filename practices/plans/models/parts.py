"""What a published version says, as rows that migrations are started from and read through."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from practices.accounts.roles import Owner
from practices.plans.rules import Basis, Delivery, Precision, System, Unit

from .version import PlanVersion

FROZEN = """
    IF EXISTS (SELECT 1 FROM plans_planversion v
               WHERE v.id = {row}.version_id AND v.state <> 'draft') THEN
        RAISE EXCEPTION 'plan version % is published: its content is frozen', {row}.version_id
            USING ERRCODE = 'restrict_violation';
    END IF;
"""


def frozen_triggers() -> list[pgtrigger.Trigger]:
    """Refuse every change of a row whose plan version is no longer a draft."""
    old, new = FROZEN.format(row="OLD"), FROZEN.format(row="NEW")
    return [
        pgtrigger.Trigger(
            name="frozen_insert",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            func=f"{new} RETURN NEW;",
        ),
        pgtrigger.Trigger(
            name="frozen_update",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            func=f"{old} {new} RETURN NEW;",
        ),
        pgtrigger.Trigger(
            name="frozen_delete",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=f"{old} RETURN OLD;",
        ),
    ]


class PlanPart(models.Model):
    """What every part of a plan version has: its place in its list."""

    position = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["position"]


class SourcedPart(PlanPart):
    """A part that says where it comes from."""

    source = models.CharField(max_length=300, blank=True)

    class Meta(PlanPart.Meta):
        abstract = True


class PlanKeyDate(SourcedPart):
    """An anchor other dates hang on; its default is counted from go-live (guide.md A.17).

    ``same_as`` makes it another name of a key date (cut-over end is go-live);
    ``clock`` says that it is the end of that clock (end of access), so a limit
    stands in one place only. Exactly one of offset, ``same_as``, ``clock`` is
    given, none for go-live itself.
    """

    Precision = Precision

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="key_dates")
    key = models.CharField(max_length=20)
    title = models.CharField(max_length=100)
    precision = models.CharField(max_length=6, choices=Precision)
    offset = models.SmallIntegerField(null=True)
    unit = models.CharField(max_length=12, choices=Unit, blank=True)
    same_as = models.CharField(max_length=20, blank=True)
    clock = models.CharField(max_length=40, blank=True)

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_key_date_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanPhase(SourcedPart):
    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="phases")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=150)
    duration = models.CharField(max_length=150, blank=True, help_text="as published, in words")

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_phase_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanGate(SourcedPart):
    """A decision point that needs signatures.

    ``blocks`` names what may not happen before: key dates (``GL``), other gates
    (``gate:go_live_data``) or ``finish``. ``confirm_to`` is the contact who is
    sent the confirmation. ``cover_phases`` and ``cover_tasks`` are what the plan
    says it covers; the tasks that are left of them are its :class:`PlanCover` rows.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="gates")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=150)
    statement = models.TextField()
    different_people = models.BooleanField(
        default=True, help_text="whether nobody may take two of its seats"
    )
    cover_phases = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    cover_tasks = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    blocks = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    confirm_to = models.CharField(max_length=25, choices=Owner, blank=True)
    condition = models.CharField(max_length=200, blank=True, help_text="when it applies, in words")

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_gate_once"),
            models.CheckConstraint(condition=~Q(statement=""), name="plan_gate_has_statement"),
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanSeat(PlanPart):
    """One signature a gate needs, and the roles that may give it."""

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="+")
    gate = models.ForeignKey(PlanGate, on_delete=models.CASCADE, related_name="seats")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=150)
    roles = ArrayField(models.CharField(max_length=25, choices=Owner))

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "key"], name="plan_seat_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanTask(SourcedPart):
    """One thing to do; its code is its identity across versions.

    ``evidence`` says in words what to keep. ``records`` names the key date that
    doing it records; ``signs`` the seat that doing it signs: one act, one fact.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="tasks")
    phase = models.ForeignKey(PlanPhase, on_delete=models.CASCADE, related_name="tasks")
    code = models.CharField(max_length=20)
    title = models.CharField(max_length=250)
    guidance = models.TextField(blank=True)
    lesson = models.TextField(blank=True, help_text="what other practices learnt")
    owner = models.CharField(max_length=25, choices=Owner)
    helps = ArrayField(models.CharField(max_length=25, choices=Owner), default=list, blank=True)
    anchor = models.CharField(max_length=20)
    offset = models.SmallIntegerField()
    unit = models.CharField(max_length=12, choices=Unit)
    basis = models.CharField(max_length=10, choices=Basis)
    mandatory = models.BooleanField(default=True)
    condition = models.CharField(max_length=200, blank=True, help_text="when it applies, in words")
    evidence = models.CharField(max_length=200, blank=True)
    records = models.CharField(max_length=20, blank=True)
    applies_if = ArrayField(
        models.CharField(max_length=45),
        default=list,
        blank=True,
        help_text="conditions that must hold; not:KEY must not",
    )
    signs = models.ForeignKey(
        PlanSeat, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks"
    )
    covered_by = models.ManyToManyField(PlanGate, through="PlanCover", related_name="covers")

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "code"], name="plan_task_once"),
            models.UniqueConstraint(
                fields=["signs"], condition=Q(signs__isnull=False), name="one_task_signs_a_seat"
            ),
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class PlanDependency(models.Model):
    """A task that cannot be done before another one, ``before``, is; and ``lag`` more.

    Tasks of a migration find each other by code: a task that left the plan still waits.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(PlanTask, on_delete=models.CASCADE, related_name="waits_for")
    before = models.ForeignKey(PlanTask, on_delete=models.CASCADE, related_name="followed_by")
    lag = models.PositiveSmallIntegerField(default=0)
    unit = models.CharField(max_length=12, choices=Unit, default=Unit.DAYS)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["task", "before"], name="plan_dependency_once"),
            models.CheckConstraint(
                condition=~Q(task=F("before")), name="plan_task_waits_for_another"
            ),
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return f"{self.task} after {self.before}"


class PlanCondition(SourcedPart):
    """A question about a practice that decides which tasks apply; answered for each migration.

    ``system`` and ``named`` know the answer from the old or new clinical system.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="conditions")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=100)
    question = models.CharField(max_length=200)
    system = models.CharField(max_length=6, choices=System, blank=True)
    named = models.CharField(max_length=150, blank=True)

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_condition_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanCover(models.Model):
    """A task that a gate's signature speaks for."""

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="+")
    gate = models.ForeignKey(PlanGate, on_delete=models.CASCADE, related_name="+")
    task = models.ForeignKey(PlanTask, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["gate", "task"], name="plan_cover_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return f"{self.gate} covers {self.task}"


class PlanClock(SourcedPart):
    """A limit that starts with one fact and stops with another.

    ``starts`` and ``stops`` name a key date (``FDP``) or a task (``task:GL-02``).
    ``warn_after`` counts hours or days since the start, ``warn_before`` days
    before the end; both in the clock's unit. ``repeat_every`` warns again after the
    end, in that unit, until it is stopped. ``tell`` names the roles warned.
    ``breach:KEY`` starts a clock when another one was stopped too late.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="clocks")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    starts = models.CharField(max_length=50)
    stops = models.CharField(max_length=30)
    limit = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=12, choices=Unit)
    warn_after = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    warn_before = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    repeat_every = models.PositiveSmallIntegerField(default=0, help_text="0 for never")
    tell = ArrayField(models.CharField(max_length=25, choices=Owner), default=list, blank=True)

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_clock_once"),
            models.CheckConstraint(condition=Q(limit__gt=0), name="plan_clock_has_limit"),
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title


class PlanReminder(SourcedPart):
    """What people are told around a key date, or while a gate waits for signatures (guide.md J).

    ``anchor`` is a key date (``FDP``), a gate (``gate:KEY``) or any gate (``gate:*``);
    ``offsets`` are counted from it in ``unit``, and ``repeat_every`` days after the last
    of them it is said again. It ends when ``until`` has happened: a task
    (``task:CODE``) or a key date. After ``escalate_after`` times without that the
    project manager is told too. ``advice`` says what to do.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="reminders")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    anchor = models.CharField(max_length=50)
    offsets = ArrayField(models.SmallIntegerField())
    unit = models.CharField(max_length=12, choices=Unit)
    repeat_every = models.PositiveSmallIntegerField(default=0, help_text="days; 0 for never")
    until = models.CharField(max_length=30, blank=True)
    deliver = models.CharField(max_length=15, choices=Delivery, default=Delivery.WORKING_MORNING)
    tell = ArrayField(models.CharField(max_length=25, choices=Owner))
    escalate_after = models.PositiveSmallIntegerField(default=0, help_text="times; 0 for never")
    advice = models.CharField(max_length=300)

    class Meta(PlanPart.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "key"], name="plan_reminder_once")
        ]
        triggers = frozen_triggers()

    def __str__(self) -> str:
        return self.title
