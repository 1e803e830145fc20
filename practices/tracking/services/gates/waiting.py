"""What gates wait for, and what waits for them."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from practices.common.errors import Conflict
from practices.tracking.models import Gate, GateCondition, KeyDate, Migration, Task
from practices.tracking.services._base import lock


def fresh(gate: Gate, migration: Migration) -> Gate:
    """A gate as it is now, locked, under its migration's lock.

    Raises Conflict when the migration was moved to a version of its plan without that gate.
    """
    gates = Gate.objects.select_for_update(of=("self",)).select_related("plan_gate")
    fresh = gates.filter(pk=gate.pk).first()
    if fresh is None:
        raise Conflict(
            f"“{gate.title}” is not in the plan any more: this migration has just been moved to "
            f"version {migration.plan_version.number} of it."
        )
    fresh.migration = migration
    return fresh


@transaction.atomic
def report_condition(
    *, migration: Migration, gate_key: str, source: str, met: bool, summary: str, at: datetime
) -> None:
    """How another room tells a gate what it knows, for example “12 items to re-enter”."""
    gate = Gate.objects.get(migration=lock(migration), key=gate_key)
    GateCondition.objects.update_or_create(
        gate=gate,
        source=source,
        defaults={"met": met, "summary": summary, "reported_at": at},
    )


def blocking(migration: Migration, what: str) -> list[Gate]:
    """The gates that hold ``what`` up: a key date, ``gate:...`` or ``finish``.

    A gate that applies only under a condition holds nothing up once its own
    task was set aside.
    """
    waiting = migration.gates.with_needed().filter(
        state=Gate.State.WAITING, left_plan=False, plan_gate__blocks__contains=[what]
    )
    return [gate for gate in waiting.select_related("plan_gate") if gate.is_needed]


def unsigned_before(migration: Migration, key_date: KeyDate) -> list[Gate]:
    """Gates planned to be signed before a key date that wait still, and do not hold it up.

    Nothing refuses the date for them, so whoever records it is told.
    """
    signing = Task.objects.filter(
        migration=OuterRef("migration"),
        plan_task__signs__gate=OuterRef("plan_gate"),
        due_at__lte=key_date.planned_at,
    )
    waiting = (
        migration.gates.with_needed()
        .filter(Exists(signing), state=Gate.State.WAITING, left_plan=False)
        .exclude(plan_gate__blocks__contains=[key_date.key])
    )
    return [gate for gate in waiting.select_related("plan_gate") if gate.is_needed]
