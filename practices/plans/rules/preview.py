"""A plan laid out for one go-live: what is when, and what deserves a second look.

Warnings never keep a plan from being published; faults do, and :func:`check` names them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from .coverage import coverage
from .dates import Moment, key_dates_for
from .scheduling import schedule
from .tree import (
    BREACH_PREFIX,
    CUT_OVER_START,
    END_OF_ACCESS,
    GO_LIVE,
    NOT_PREFIX,
    TASK_PREFIX,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    TaskNode,
)


@dataclass(frozen=True)
class Doubt:
    """Something to look at again: the part it is about, and a sentence."""

    kind: str
    key: str
    message: str


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
    def doubts(self) -> list[Doubt]:
        """Everything that deserves a second look, in the order of the plan."""
        return [
            *self._out_of_order(),
            *self._crossing(),
            *self._on_bank_holidays(),
            *self._gates(),
            *self._clocks(),
            *self._conditions(),
        ]

    def _out_of_order(self) -> Iterator[Doubt]:
        for first, second in ((CUT_OVER_START, GO_LIVE), (GO_LIVE, END_OF_ACCESS)):
            one, other = self.key_dates.get(first), self.key_dates.get(second)
            if one and other and other.at <= one.at:
                yield Doubt("key_date", second, f"{second} does not come after {first}.")

    def _crossing(self) -> Iterator[Doubt]:
        """Tasks that their own offset would have due before what they wait for."""
        own = schedule(self.tree.tasks(), {}, self.key_dates, is_working=self.is_working)
        for task in self.tree.tasks():
            if task.code in self.due and own[task.code].at < self.due[task.code].at:
                codes = ", ".join(link.task for link in task.after)
                yield Doubt(
                    "task",
                    task.code,
                    f"Its own offset comes before what it waits for ({codes}), so it is due later.",
                )

    def _on_bank_holidays(self) -> Iterator[Doubt]:
        for row in self.tasks:
            if name := self.holiday(row.moment.on):
                yield Doubt("task", row.task.code, f"It is due on a bank holiday: {name}.")

    def _gates(self) -> Iterator[Doubt]:
        covered = coverage(self.tree)
        signing = {(task.gate, task.seat): task for task in self.tree.tasks() if task.gate}
        recording = {task.records: task for task in self.tree.tasks() if task.records}
        for gate in self.tree.gates:
            codes = [code for code in covered[gate.key] if code in self.due]
            last = max(codes, key=lambda code: self.due[code].at, default="")
            own = {task.code for (key, _), task in signing.items() if key == gate.key}
            yield from self._waiting_for_itself(gate, covered[gate.key], own)
            for seat in gate.seats:
                if (gate.key, seat.key) not in signing:
                    message = f"No task asks anybody to sign its seat “{seat.title}”."
                    yield Doubt("gate", gate.key, message)
            held_up = [*sorted(own), *(recording[k].code for k in gate.blocks if k in recording)]
            for code in held_up:
                if last and code in self.due and self.due[code].at < self.due[last].at:
                    message = f"It is due before “{gate.title}” can open: {last} is due later."
                    yield Doubt("task", code, message)

    def _waiting_for_itself(
        self, gate: GateNode, covered: tuple[str, ...], own: set[str]
    ) -> Iterator[Doubt]:
        """A gate covers tasks that can only be done once it is signed."""
        after = {task.code: [link.task for link in task.after] for task in self.tree.tasks()}
        for code in covered:
            todo, seen = list(after.get(code, ())), {code}
            while todo:
                one = todo.pop()
                if one in own:
                    message = f"It waits for its own task {one}, through {code} that it covers."
                    yield Doubt("gate", gate.key, message)
                    break
                if one not in seen:
                    seen.add(one)
                    todo.extend(after.get(one, ()))

    def _clocks(self) -> Iterator[Doubt]:
        recorded = {task.records for task in self.tree.tasks() if task.records}
        same = {node.key: node.same_as for node in self.tree.key_dates if node.same_as}
        for clock in self.tree.clocks:
            for name, verb in ((clock.starts, "starts"), (clock.stops, "stops")):
                if not clock.enabled or name.startswith((TASK_PREFIX, BREACH_PREFIX)):
                    continue
                if same.get(name, name) not in recorded:
                    message = f"Nobody {verb} it: no task records {name}."
                    yield Doubt("clock", clock.key, message)

    def _conditions(self) -> Iterator[Doubt]:
        used = {
            name.removeprefix(NOT_PREFIX) for task in self.tree.tasks() for name in task.applies_if
        }
        for node in self.tree.conditions:
            if node.key not in used:
                yield Doubt("condition", node.key, "No task depends on its answer.")
