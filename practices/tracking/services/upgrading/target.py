"""A version that migrations are moved to, read once for as many of them as are moved."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from practices.plans.models import (
    PlanClock,
    PlanCondition,
    PlanDependency,
    PlanGate,
    PlanKeyDate,
    PlanPhase,
    PlanTask,
    PlanVersion,
)
from practices.plans.rules import AfterNode
from practices.tracking.models import Gate
from practices.tracking.services.due_times import After


@dataclass(frozen=True)
class Target:
    """The rows of one version by code and key; ``after`` says what its tasks wait for."""

    version: PlanVersion
    tasks: dict[str, PlanTask]
    phases: dict[str, PlanPhase]
    gates: dict[str, PlanGate]
    key_dates: dict[str, PlanKeyDate]
    clocks: dict[str, PlanClock]
    conditions: dict[str, PlanCondition]
    after: After
    covered: dict[str, frozenset[str]]
    _read: dict[type[models.Model], dict[int, Any]] = field(default_factory=dict)

    def falls_under(self, task: PlanTask, gate: Gate) -> bool:
        """Whether a task of this version would come under what a gate was signed for."""
        return task.phase.key in gate.plan_gate.cover_phases or task.code in self.covered.get(
            gate.key, ()
        )

    def attach(self, name: str, rows: Iterable[Any]) -> None:
        """Give rows of a migration their plan row of this name, whichever version it belongs to.

        Each is read once for all migrations: joined to their rows, most of the time went there.
        """
        rows = [row for row in rows if getattr(row, f"{name}_id") is not None]
        if not rows:
            return
        model = rows[0]._meta.get_field(name).related_model
        known = self._read.setdefault(model, {})
        if missing := {getattr(row, f"{name}_id") for row in rows} - known.keys():
            parts = ("signs__gate",) if model is PlanTask else ()
            known |= model._base_manager.select_related(*parts).in_bulk(missing)
        for row in rows:
            setattr(row, name, known[getattr(row, f"{name}_id")])


def target_of(version: PlanVersion) -> Target:
    """Everything a version says, in a fixed number of statements."""
    # Read anew with its parts, so that what asks the version for them asks no database.
    version = (
        PlanVersion.objects.select_related("plan")
        .prefetch_related("clocks", "conditions", "phases", "gates", "key_dates")
        .get(pk=version.pk)
    )
    after: dict[str, list[AfterNode]] = {}
    for code, before, lag, unit in PlanDependency.objects.filter(version=version).values_list(
        "task__code", "before__code", "lag", "unit"
    ):
        after.setdefault(code, []).append(AfterNode(before, lag, unit))
    tasks = version.tasks.select_related("phase", "signs__gate").order_by(
        "phase__position", "position"
    )
    covered: dict[str, set[str]] = {}
    for gate, code in version.gates.filter(covers__isnull=False).values_list("key", "covers__code"):
        covered.setdefault(gate, set()).add(code)
    return Target(
        version=version,
        tasks={task.code: task for task in tasks},
        phases={row.key: row for row in version.phases.all()},
        gates={row.key: row for row in version.gates.all()},
        key_dates={row.key: row for row in version.key_dates.all()},
        clocks={row.key: row for row in version.clocks.all()},
        conditions={row.key: row for row in version.conditions.all()},
        after=after,
        covered={gate: frozenset(codes) for gate, codes in covered.items()},
    )
