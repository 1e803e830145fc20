"""A plan laid out for one go-live: what is when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from .coverage import coverage, held_by
from .dates import Moment, key_dates_for
from .scheduling import counted, schedule
from .tree import TASK_PREFIX, ClockNode, GateNode, KeyDateNode, PhaseNode, PlanTree, TaskNode


@dataclass(frozen=True)
class DatedTask:
    task: TaskNode
    phase: PhaseNode
    moment: Moment


@dataclass(frozen=True)
class Span:
    """A phase, from its first due time to its last."""

    phase: PhaseNode
    first: Moment
    last: Moment


@dataclass(frozen=True)
class DatedGate:
    """A gate between what it waits for and what waits for it.

    It can be signed when the task ``last`` is due, the last of all that it and the gates before
    it cover: at ``opens``, or at any time where there is none. ``holds_up`` is the first key date
    that it blocks.
    """

    gate: GateNode
    last: str
    opens: Moment | None
    holds_up: Moment | None


@dataclass(frozen=True)
class DatedClock:
    """A clock from its planned start to the end of its limit, with when it warns.

    One that follows a breach starts only if there is one, so it has no dates.
    """

    clock: ClockNode
    start: Moment | None
    end: Moment | None
    warnings: list[Moment]


@dataclass(frozen=True)
class Preview:
    """A plan with its dates, as far as its faults allow them.

    ``holiday`` names the bank holiday of a day, or nothing.
    """

    tree: PlanTree
    go_live_at: datetime
    is_working: Callable[[date], bool]
    holiday: Callable[[date], str]

    @cached_property
    def key_dates(self) -> dict[str, Moment]:
        return key_dates_for(self.tree, go_live_at=self.go_live_at)

    @cached_property
    def due(self) -> dict[str, Moment]:
        """When each task is due, with what it waits for."""
        after = {task.code: task.after for task in self.tree.tasks()}
        return schedule(self.tree.tasks(), after, self.key_dates, is_working=self.is_working)

    @cached_property
    def tasks(self) -> list[DatedTask]:
        """Every task that has a date, soonest first."""
        found = [
            DatedTask(task, phase, self.due[task.code])
            for phase in self.tree.phases
            for task in phase.tasks
            if task.code in self.due
        ]
        return sorted(found, key=lambda row: row.moment.at)

    @property
    def dated_key_dates(self) -> list[tuple[KeyDateNode, Moment]]:
        rows = [
            (node, self.key_dates[node.key])
            for node in self.tree.key_dates
            if node.key in self.key_dates
        ]
        return sorted(rows, key=lambda row: row[1].at)

    @property
    def spans(self) -> list[Span]:
        """The phases that have a date, in the order of the plan."""
        found = []
        for phase in self.tree.phases:
            moments = [self.due[task.code] for task in phase.tasks if task.code in self.due]
            if moments:
                at = sorted(moments, key=lambda moment: moment.at)
                found.append(Span(phase, at[0], at[-1]))
        return found

    @cached_property
    def covered(self) -> dict[str, tuple[str, ...]]:
        """The tasks that each gate's signatures speak for."""
        return coverage(self.tree)

    @cached_property
    def gates(self) -> list[DatedGate]:
        gates = {gate.key: gate for gate in self.tree.gates}
        before: dict[str, list[str]] = {key: [] for key in gates}
        for gate in self.tree.gates:
            for held in held_by(gate, gates):
                before[held.key] += self.covered[gate.key]
        return [self._gate(gate, before[gate.key]) for gate in self.tree.gates]

    def _gate(self, gate: GateNode, before: list[str]) -> DatedGate:
        dated = [code for code in before if code in self.due]
        last = max(dated, key=lambda code: self.due[code].at, default="")
        blocked = [self.key_dates[name] for name in gate.blocks if name in self.key_dates]
        holds_up = min(blocked, key=lambda moment: moment.at, default=None)
        return DatedGate(gate, last, self.due.get(last), holds_up)

    @property
    def clocks(self) -> list[DatedClock]:
        """The clocks that count; one that is switched off warns nobody."""
        return [self._clock(clock) for clock in self.tree.clocks if clock.enabled]

    def _clock(self, clock: ClockNode) -> DatedClock:
        start = self.key_dates.get(clock.starts) or self.due.get(
            clock.starts.removeprefix(TASK_PREFIX)
        )
        end = counted(start, clock.limit, clock.unit, self.is_working)
        warnings = [
            *(counted(start, by, clock.unit, self.is_working) for by in clock.warn_after),
            *(counted(end, -by, clock.unit, self.is_working) for by in clock.warn_before),
        ]
        dated = sorted((one for one in warnings if one), key=lambda moment: moment.at)
        return DatedClock(clock, start, end, dated)
