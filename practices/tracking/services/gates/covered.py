"""What a signature speaks for, and what of it is not finished."""

from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery

from practices.common.models import sha256
from practices.common.services import canonical
from practices.tracking.models import Gate, KeyDate, Task
from practices.tracking.models.gate import covers
from practices.tracking.models.task import TaskQuerySet

CONDITION = "condition:"


@dataclass(frozen=True)
class StillOpen:
    """Something a signature would speak for that is not finished.

    ``waiting_for`` is why it is blocked, in the words of whoever said so.
    """

    key: str
    title: str
    mandatory: bool
    waiting_for: str = ""

    @property
    def code(self) -> str:
        """The task's code; nothing for what another room reports."""
        return "" if self.key.startswith(CONDITION) else self.key

    @property
    def label(self) -> str:
        return f"{self.code} {self.title}".strip()


def covered_tasks(gate: Gate) -> TaskQuerySet:
    """The tasks a gate's signature speaks for, in plan order.

    Tasks added to this migration count with the phase they were added to, when
    they are due before what the gate blocks (decision 7).
    """
    blocked = KeyDate.objects.filter(
        migration=OuterRef("migration"), key__in=gate.plan_gate.blocks
    ).order_by("planned_at")
    added = Q(plan_task=None, phase__key__in=gate.plan_gate.cover_phases) & ~Q(
        due_at__gte=Subquery(blocked.values("planned_at")[:1])
    )
    return (
        Task.objects.filter(
            (Q(plan_task__isnull=False) & Q(covers(gate.plan_gate))) | added,
            migration=gate.migration,
        )
        .with_people()
        .in_plan_order()
    )


def still_open(gate: Gate) -> list[StillOpen]:
    """What is not finished of what a gate covers, unmet conditions of other rooms included."""
    tasks = [
        StillOpen(
            task.code,
            task.title,
            task.mandatory,
            waiting_for=str(task.reason) if task.state == Task.State.BLOCKED else "",
        )
        for task in covered_tasks(gate).asked_for()
    ]
    conditions = [
        StillOpen(f"{CONDITION}{condition.source}", condition.summary, True)
        for condition in gate.conditions.filter(met=False).order_by("source")
    ]
    return tasks + conditions


def seen_mark(gate: Gate, items: list[StillOpen]) -> str:
    """A mark of what a signer was shown, sent back with the signature."""
    return sha256(canonical({"round": gate.round, "open": [item.key for item in items]}))[:16]
