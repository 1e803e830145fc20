"""A version of a plan as its page shows it: every part in words."""

from dataclasses import dataclass

from practices.plans.models import PlanVersion
from practices.plans.rules import (
    Basis,
    ClockNode,
    ConditionNode,
    Delivery,
    GateNode,
    KeyDateNode,
    PhaseNode,
    Precision,
    ReminderNode,
    TaskNode,
    Wording,
    coverage,
    inside,
    listed,
    role,
    roles,
    span,
)

from .trees import tree_of


@dataclass(frozen=True)
class KeyDateRow:
    node: KeyDateNode
    place: str
    precision: str


@dataclass(frozen=True)
class TaskRow:
    """A task; ``records`` and ``signs`` are titles of what doing it also does.

    ``waits`` names what it waits for, ``applies`` the conditions that must hold.
    """

    node: TaskNode
    owner: str
    helps: str
    due: str
    basis: str
    records: str
    signs: str
    waits: str
    applies: str


@dataclass(frozen=True)
class PhaseBlock:
    node: PhaseNode
    tasks: list[TaskRow]


@dataclass(frozen=True)
class GateBlock:
    """A gate; ``covers`` names phases and tasks, ``covered`` counts the tasks left of them."""

    node: GateNode
    seats: list[tuple[str, str]]
    covers: str
    covered: int
    blocks: str
    confirm_to: str


@dataclass(frozen=True)
class ClockRow:
    node: ClockNode
    starts: str
    stops: str
    limit: str
    warnings: str
    tell: str


@dataclass(frozen=True)
class ReminderRow:
    node: ReminderNode
    times: str
    until: str
    deliver: str
    tell: str
    escalation: str


@dataclass(frozen=True)
class ConditionRow:
    """A condition; ``answer`` says whether it is asked, or known from a system's name."""

    node: ConditionNode
    answer: str


@dataclass(frozen=True)
class VersionPage:
    version: PlanVersion
    key_dates: list[KeyDateRow]
    phases: list[PhaseBlock]
    gates: list[GateBlock]
    clocks_on: list[ClockRow]
    clocks_off: list[ClockRow]
    reminders_on: list[ReminderRow]
    reminders_off: list[ReminderRow]
    conditions: list[ConditionRow]

    @property
    def task_count(self) -> int:
        return sum(len(phase.tasks) for phase in self.phases)


def version_page(version: PlanVersion) -> VersionPage:
    """Everything a version says; read the version through :func:`with_parts`."""
    tree = tree_of(version)
    say = Wording(tree)
    covered = {key: len(codes) for key, codes in coverage(tree).items()}
    clocks = [_clock(node, say) for node in tree.clocks]
    reminders = [_reminder(node, say) for node in tree.reminders]
    return VersionPage(
        version=version,
        key_dates=[
            KeyDateRow(node, say.place(node), Precision(node.precision).label)
            for node in tree.key_dates
        ],
        phases=[
            PhaseBlock(node, [_task(task, say) for task in node.tasks]) for node in tree.phases
        ],
        gates=[_gate(node, say, covered[node.key]) for node in tree.gates],
        clocks_on=[row for row in clocks if row.node.enabled],
        clocks_off=[row for row in clocks if not row.node.enabled],
        reminders_on=[row for row in reminders if row.node.enabled],
        reminders_off=[row for row in reminders if not row.node.enabled],
        conditions=[ConditionRow(node, say.answer(node)) for node in tree.conditions],
    )


def _task(node: TaskNode, say: Wording) -> TaskRow:
    return TaskRow(
        node=node,
        owner=role(node.owner),
        helps=roles(node.helps) if node.helps else "",
        due=say.due(node),
        basis=Basis(node.basis).label,
        records=inside(say.key_dates[node.records]) if node.records else "",
        signs=say.signature(node),
        waits=listed([say.waits(link) for link in node.after]) if node.after else "",
        applies=listed([say.applies(key) for key in node.applies_if]) if node.applies_if else "",
    )


def _gate(node: GateNode, say: Wording, covered: int) -> GateBlock:
    phases = [f"the phase “{say.phases[key]}”" for key in node.cover_phases]
    tasks = [code for code in say.phase_of if code in node.cover_tasks]
    return GateBlock(
        node=node,
        seats=[(seat.title, roles(seat.roles)) for seat in node.seats],
        covers=listed([*phases, *tasks]) if phases or tasks else "",
        covered=covered,
        blocks=listed([say.blocked(name) for name in node.blocks]) if node.blocks else "",
        confirm_to=inside(role(node.confirm_to)) if node.confirm_to else "",
    )


def _clock(node: ClockNode, say: Wording) -> ClockRow:
    warnings = [f"{span(number, node.unit)} after the start" for number in node.warn_after]
    warnings += [
        f"{span(number, node.unit)} before the end" if number else "on the last day"
        for number in node.warn_before
    ]
    if node.repeat_every:
        warnings.append(f"every {span(node.repeat_every, node.unit)} after the end")
    return ClockRow(
        node=node,
        starts=say.fact(node.starts),
        stops=say.fact(node.stops),
        limit=span(node.limit, node.unit),
        warnings=listed(warnings),
        tell=roles(node.tell),
    )


def _reminder(node: ReminderNode, say: Wording) -> ReminderRow:
    return ReminderRow(
        node=node,
        times=say.times(node),
        until=say.until(node),
        deliver=Delivery(node.deliver).label,
        tell=roles(node.tell),
        escalation=say.escalation(node),
    )
