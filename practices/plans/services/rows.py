"""A plan's tree written out as rows, when it is published."""

from practices.plans.models import (
    PlanClock,
    PlanCondition,
    PlanCover,
    PlanDependency,
    PlanGate,
    PlanKeyDate,
    PlanPhase,
    PlanReminder,
    PlanSeat,
    PlanTask,
    PlanVersion,
)
from practices.plans.rules import PlanTree, coverage


def write_rows(version: PlanVersion, tree: PlanTree) -> None:
    """Write a checked tree as the rows of a version, in a handful of statements."""
    PlanKeyDate.objects.bulk_create(
        PlanKeyDate(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            precision=node.precision,
            offset=node.offset,
            unit=node.unit,
            same_as=node.same_as,
            clock=node.clock,
            source=node.source,
        )
        for position, node in enumerate(tree.key_dates, 1)
    )
    PlanClock.objects.bulk_create(
        PlanClock(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            enabled=node.enabled,
            starts=node.starts,
            stops=node.stops,
            limit=node.limit,
            unit=node.unit,
            warn_after=list(node.warn_after),
            warn_before=list(node.warn_before),
            repeat_every=node.repeat_every,
            tell=list(node.tell),
            source=node.source,
        )
        for position, node in enumerate(tree.clocks, 1)
    )
    PlanReminder.objects.bulk_create(
        PlanReminder(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            enabled=node.enabled,
            anchor=node.anchor,
            offsets=list(node.offsets),
            unit=node.unit,
            repeat_every=node.repeat_every,
            until=node.until,
            deliver=node.deliver,
            tell=list(node.tell),
            escalate_after=node.escalate_after,
            advice=node.advice,
            source=node.source,
        )
        for position, node in enumerate(tree.reminders, 1)
    )
    PlanCondition.objects.bulk_create(
        PlanCondition(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            question=node.question,
            system=node.system,
            named=node.named,
            source=node.source,
        )
        for position, node in enumerate(tree.conditions, 1)
    )
    gates = _write_gates(version, tree)
    tasks = _write_tasks(version, tree, _write_seats(version, tree, gates))
    PlanCover.objects.bulk_create(
        PlanCover(version=version, gate=gates[key], task=tasks[code])
        for key, codes in coverage(tree).items()
        for code in codes
    )
    PlanDependency.objects.bulk_create(
        PlanDependency(
            version=version,
            task=tasks[task.code],
            before=tasks[link.task],
            lag=link.lag,
            unit=link.unit,
        )
        for task in tree.tasks()
        for link in task.after
    )


def _write_gates(version: PlanVersion, tree: PlanTree) -> dict[str, PlanGate]:
    rows = PlanGate.objects.bulk_create(
        PlanGate(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            statement=node.statement,
            different_people=node.different_people,
            cover_phases=list(node.cover_phases),
            cover_tasks=list(node.cover_tasks),
            blocks=list(node.blocks),
            confirm_to=node.confirm_to,
            condition=node.condition,
            source=node.source,
        )
        for position, node in enumerate(tree.gates, 1)
    )
    return {row.key: row for row in rows}


def _write_seats(
    version: PlanVersion, tree: PlanTree, gates: dict[str, PlanGate]
) -> dict[tuple[str, str], PlanSeat]:
    rows = PlanSeat.objects.bulk_create(
        PlanSeat(
            version=version,
            gate=gates[gate.key],
            position=position,
            key=seat.key,
            title=seat.title,
            roles=list(seat.roles),
        )
        for gate in tree.gates
        for position, seat in enumerate(gate.seats, 1)
    )
    return {(row.gate.key, row.key): row for row in rows}


def _write_tasks(
    version: PlanVersion, tree: PlanTree, seats: dict[tuple[str, str], PlanSeat]
) -> dict[str, PlanTask]:
    phases = PlanPhase.objects.bulk_create(
        PlanPhase(
            version=version,
            position=position,
            key=node.key,
            title=node.title,
            duration=node.duration,
            source=node.source,
        )
        for position, node in enumerate(tree.phases, 1)
    )
    rows = PlanTask.objects.bulk_create(
        PlanTask(
            version=version,
            phase=row,
            position=position,
            code=task.code,
            title=task.title,
            guidance=task.guidance,
            lesson=task.lesson,
            owner=task.owner,
            helps=list(task.helps),
            anchor=task.anchor,
            offset=task.offset,
            unit=task.unit,
            basis=task.basis,
            mandatory=task.mandatory,
            condition=task.condition,
            evidence=task.evidence,
            records=task.records,
            applies_if=list(task.applies_if),
            signs=seats.get((task.gate, task.seat)),
            source=task.source,
        )
        for phase, row in zip(tree.phases, phases, strict=True)
        for position, task in enumerate(phase.tasks, 1)
    )
    return {row.code: row for row in rows}
