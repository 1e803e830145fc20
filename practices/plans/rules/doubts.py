"""What deserves a second look in a plan laid out for one go-live.

These warnings never keep a plan from being published; faults do, and :func:`check` names them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from .checking import blocked_gates
from .preview import DatedGate, Preview
from .scheduling import schedule
from .tree import (
    BREACH_PREFIX,
    CUT_OVER_START,
    END_OF_ACCESS,
    GATE_PREFIX,
    GO_LIVE,
    NOT_PREFIX,
    TASK_PREFIX,
)
from .words import listed


@dataclass(frozen=True)
class Doubt:
    """Something to look at again: the part it is about, and a sentence."""

    kind: str
    key: str
    message: str


def doubts(plan: Preview) -> list[Doubt]:
    """Everything that deserves a second look, in the order of the plan."""
    return [
        *_out_of_order(plan),
        *_crossing(plan),
        *_falling_away(plan),
        *_on_bank_holidays(plan),
        *_gates(plan),
        *_waiting_for_themselves(plan),
        *_clocks(plan),
        *_conditions(plan),
    ]


def _out_of_order(plan: Preview) -> Iterator[Doubt]:
    for first, second in ((CUT_OVER_START, GO_LIVE), (GO_LIVE, END_OF_ACCESS)):
        one, other = plan.key_dates.get(first), plan.key_dates.get(second)
        if one and other and other.at <= one.at:
            yield Doubt("key_date", second, f"{second} does not come after {first}.")


def _crossing(plan: Preview) -> Iterator[Doubt]:
    """Tasks that their own offset would have due before what they wait for."""
    waiting = [task for task in plan.tree.tasks() if task.after and task.code in plan.due]
    own = schedule(waiting, {}, plan.key_dates, is_working=plan.is_working)
    for task in waiting:
        if own[task.code].at < plan.due[task.code].at:
            codes = ", ".join(link.task for link in task.after)
            yield Doubt(
                "task",
                task.code,
                f"Its own offset comes before what it waits for ({codes}), so it is due later.",
            )


def _falling_away(plan: Preview) -> Iterator[Doubt]:
    """Tasks that wait for one which an answer sets aside while they still apply."""
    tasks = {task.code: task for task in plan.tree.tasks()}
    for task in tasks.values():
        for link in task.after:
            before = tasks.get(link.task)
            if before and not set(before.applies_if) <= set(task.applies_if):
                message = (
                    f"It waits for {before.code}, which does not always apply: where it does not, "
                    "nothing holds this up."
                )
                yield Doubt("task", task.code, message)


def _on_bank_holidays(plan: Preview) -> Iterator[Doubt]:
    for row in plan.tasks:
        if name := plan.holiday(row.moment.on):
            yield Doubt("task", row.task.code, f"It is due on a bank holiday: {name}.")


def _gates(plan: Preview) -> Iterator[Doubt]:
    signing = {(task.gate, task.seat) for task in plan.tree.tasks() if task.gate}
    for dated in plan.gates:
        for seat in dated.gate.seats:
            if (dated.gate.key, seat.key) not in signing:
                message = f"No task asks anybody to sign its seat “{seat.title}”."
                yield Doubt("gate", dated.gate.key, message)
        yield from _too_early(plan, dated)


def _too_early(plan: Preview, dated: DatedGate) -> Iterator[Doubt]:
    """Tasks that sign a gate, or record what it blocks, and are due before it can open."""
    gate = dated.gate
    signing = [task.code for task in plan.tree.tasks() if task.gate == gate.key]
    recording = [task.code for task in plan.tree.tasks() if task.records in gate.blocks]
    for code in (*signing, *recording):
        if dated.opens and code in plan.due and plan.due[code].at < dated.opens.at:
            message = f"It is due before “{gate.title}” can open: {dated.last} is due later."
            yield Doubt("task", code, message)


def _waiting_for_themselves(plan: Preview) -> Iterator[Doubt]:
    """Gates that can only be signed once they are signed, through tasks, dates and each other."""
    links = _waits(plan)
    titles = {f"{GATE_PREFIX}{gate.key}": f"“{gate.title}”" for gate in plan.tree.gates}
    told: set[frozenset[str]] = set()
    for gate in plan.tree.gates:
        own = [task.code for task in plan.tree.tasks() if task.gate == gate.key]
        for start in (*own, f"{GATE_PREFIX}{gate.key}"):
            way = _way_back(links, start)
            if way and frozenset(way) not in told:
                told.add(frozenset(way))
                names = [titles.get(one, one) for one in (*way, start)]
                first, *more = pairwise(names)
                said = [f"{first[0]} waits for {first[1]}", *(f"{a} for {b}" for a, b in more)]
                yield Doubt("gate", gate.key, f"It waits for itself: {listed(said)}.")


def _waits(plan: Preview) -> dict[str, list[str]]:
    """What must be done or signed before each task and gate, as far as that waits as well.

    Tasks go by their code, gates by ``gate:KEY``.
    """
    gates: dict[str, list[str]] = {key: list(codes) for key, codes in plan.covered.items()}
    for gate in plan.tree.gates:
        for held in blocked_gates(gate):
            gates.setdefault(held, []).append(f"{GATE_PREFIX}{gate.key}")
    found: dict[str, list[str]] = {f"{GATE_PREFIX}{key}": list(on) for key, on in gates.items()}
    for task in plan.tree.tasks():
        before = [link.task for link in task.after]
        before += gates.get(task.gate, [])
        before += [
            f"{GATE_PREFIX}{gate.key}"
            for gate in plan.tree.gates
            if task.records and task.records in gate.blocks
        ]
        found[task.code] = before
        if task.gate in gates:
            found[f"{GATE_PREFIX}{task.gate}"].append(task.code)
    waiting = {name for name, before in found.items() if before}
    return {name: [one for one in found[name] if one in waiting] for name in waiting}


def _way_back(links: Mapping[str, list[str]], start: str) -> list[str]:
    """The shortest way from a name over what it waits for to itself, or an empty list."""
    ways = [[start]] if start in links else []
    seen: set[str] = set()
    for way in ways:
        for name in links[way[-1]]:
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _clocks(plan: Preview) -> Iterator[Doubt]:
    recorded = {task.records for task in plan.tree.tasks() if task.records}
    same = {node.key: node.same_as for node in plan.tree.key_dates if node.same_as}
    for clock in plan.tree.clocks:
        for name, verb in ((clock.starts, "starts"), (clock.stops, "stops")):
            if not clock.enabled or name.startswith((TASK_PREFIX, BREACH_PREFIX)):
                continue
            if same.get(name, name) not in recorded:
                message = f"Nobody {verb} it: no task records {name}."
                yield Doubt("clock", clock.key, message)


def _conditions(plan: Preview) -> Iterator[Doubt]:
    used = {name.removeprefix(NOT_PREFIX) for task in plan.tree.tasks() for name in task.applies_if}
    for node in plan.tree.conditions:
        if node.key not in used:
            yield Doubt("condition", node.key, "No task depends on its answer.")
