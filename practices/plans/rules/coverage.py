"""What a gate's signature speaks for (house.md decision 7).

A gate never covers what can only be done once it is open: the task that signs
it, tasks that sign or record what it blocks, and tasks due at or after that.
Due times are those of a nominal migration, so the answer belongs to the plan.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from .checking import blocked_gates
from .dates import Moment, key_dates_for
from .scheduling import schedule
from .tree import GateNode, PlanTree

# A Monday morning far from bank holidays and clock changes.
NOMINAL_GO_LIVE = datetime(2025, 6, 16, 7, 0, tzinfo=UTC)
SATURDAY = 5


def coverage(tree: PlanTree) -> dict[str, tuple[str, ...]]:
    """For each gate the codes of the tasks it covers, in the plan's order."""
    key_dates = key_dates_for(tree, go_live_at=NOMINAL_GO_LIVE)
    times = schedule(
        tree.tasks(),
        {task.code: task.after for task in tree.tasks()},
        key_dates,
        is_working=_weekday,
    )
    due_at = {code: moment.at for code, moment in times.items()}
    gates = {gate.key: gate for gate in tree.gates}
    return {gate.key: tuple(_covered(tree, gate, gates, key_dates, due_at)) for gate in tree.gates}


def _weekday(day: date) -> bool:
    return day.weekday() < SATURDAY


def _covered(
    tree: PlanTree,
    gate: GateNode,
    gates: dict[str, GateNode],
    key_dates: dict[str, Moment],
    due_at: dict[str, datetime],
) -> Iterator[str]:
    waiting = held_by(gate, gates)
    blocked = {name for one in waiting for name in one.blocks if name in key_dates}
    first = min((key_dates[key].at for key in blocked), default=None)
    closed = {one.key for one in waiting}
    for phase in tree.phases:
        for task in phase.tasks:
            named = phase.key in gate.cover_phases or task.code in gate.cover_tasks
            # A task without a date is a fault of a draft, and covered by nothing.
            too_late = task.code not in due_at or (first is not None and due_at[task.code] >= first)
            if named and not (too_late or task.gate in closed or task.records in blocked):
                yield task.code


def held_by(gate: GateNode, gates: dict[str, GateNode]) -> list[GateNode]:
    """The gate itself and every gate that cannot be signed before it."""
    found: dict[str, GateNode] = {}
    todo = [gate]
    while todo:
        one = todo.pop()
        if one.key not in found:
            found[one.key] = one
            todo.extend(gates[key] for key in blocked_gates(one) if key in gates)
    return list(found.values())
