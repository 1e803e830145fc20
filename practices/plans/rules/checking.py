"""What a plan must be before anybody may start a migration from it.

Every fault is found at once, each with the path of the field it stands in, so
that a file's reader can name the line.
"""

from collections import Counter
from collections.abc import Iterator

from practices.accounts.roles import PERMISSIONS, Owner, Permission, Role

from .checking_links import conditions, dependencies, task_links
from .checking_shapes import shapes
from .checking_times import clocks, reminders
from .known import NOT_PEOPLE, Known, Path, Problem, circle, twice
from .tree import (
    CUT_OVER_START,
    FINISH,
    GATE_PREFIX,
    GO_LIVE,
    OBLIGATORY_KEY_DATES,
    GateNode,
    KeyDateNode,
    PlanTree,
    Precision,
    SeatNode,
    TaskNode,
    Unit,
)


def _may_sign(owner: str) -> bool:
    if owner in NOT_PEOPLE:
        return False
    suppliers = (Owner.TARGET_SUPPLIER, Owner.SOURCE_SUPPLIER)
    role = Role.SUPPLIER if owner in suppliers else Role(owner)
    return Permission.SIGN in PERMISSIONS[role]


SIGNERS = tuple(owner for owner in Owner.values if _may_sign(owner))


def check(tree: PlanTree) -> list[Problem]:
    """Everything that is wrong with a plan; an empty list when it may be used."""
    known = Known(tree)
    return [
        *shapes(tree),
        *_key_dates(tree, known),
        *_phases(tree),
        *_tasks(tree, known),
        *dependencies(tree),
        *conditions(tree),
        *_gates(tree, known),
        *clocks(tree, known),
        *reminders(tree, known),
    ]


def _key_dates(tree: PlanTree, known: Known) -> Iterator[Problem]:
    yield from twice(("key_dates",), "key", (node.key for node in tree.key_dates))
    for key in OBLIGATORY_KEY_DATES:
        if key not in known.key_dates:
            yield Problem(("key_dates",), f"Every plan needs the key date {key}.")
    for index, node in enumerate(tree.key_dates):
        for field, message in _key_date(node, known):
            yield Problem(("key_dates", index, field), message)
    waiting = circle({node.key: tuple(_counts_from(node, known)) for node in tree.key_dates})
    if waiting:
        index = [node.key for node in tree.key_dates].index(waiting[0])
        field = "same_as" if tree.key_dates[index].same_as else "clock"
        message = f"These dates wait for each other: {', '.join(waiting)}."
        yield Problem(("key_dates", index, field), message)


def _counts_from(node: KeyDateNode, known: Known) -> Iterator[str]:
    """The key dates that one is computed from."""
    if node.same_as:
        yield node.same_as
    elif node.clock in known.clocks:
        yield known.clocks[node.clock].starts


def _key_date(node: KeyDateNode, known: Known) -> Iterator[tuple[str, str]]:
    given = [
        name
        for name, value in (
            ("offset", node.offset is not None),
            ("same_as", node.same_as),
            ("clock", node.clock),
        )
        if value
    ]
    if node.key in (GO_LIVE, CUT_OVER_START) and node.precision != Precision.MINUTE:
        yield "precision", f"{node.key} is timed to the minute: write precision: minute."
    if node.key == GO_LIVE:
        if given:
            yield given[0], "Go-live is what all else is counted from: leave this out."
        return
    if len(given) != 1:
        yield "key", f"Say how {node.key} is found by one of offset, same_as and clock."
        return
    if node.unit == Unit.HOURS and node.precision == Precision.DAY:
        yield "offset", "Hours need a time: write precision: minute, or count in days."
    if node.same_as:
        yield from _same_as(node, known)
    if node.clock:
        yield from _bound(node, known)


def _same_as(node: KeyDateNode, known: Known) -> Iterator[tuple[str, str]]:
    other = known.key_dates.get(node.same_as)
    if other is None:
        yield "same_as", f"{node.same_as} is no key date of this plan."
    elif other.precision != node.precision:
        yield "precision", f"It is the same as {other.key}, so write precision: {other.precision}."


def _bound(node: KeyDateNode, known: Known) -> Iterator[tuple[str, str]]:
    clock = known.clocks.get(node.clock)
    if clock is None:
        yield "clock", f"{node.clock} is no clock of this plan."
        return
    if clock.starts not in known.key_dates:
        yield "clock", f"The clock {clock.key} must start at a key date, to say when {node.key} is."
    if clock.stops != node.key:
        yield "clock", f"The clock {clock.key} must stop at {node.key}; it stops at {clock.stops}."
    if clock.unit == Unit.WORKING_DAYS:
        yield "clock", f"The clock {clock.key} must count days or hours, to say when {node.key} is."
    precision = Precision.MINUTE if clock.unit == Unit.HOURS else Precision.DAY
    if node.precision != precision:
        yield "precision", f"A clock in {clock.unit} ends on a {precision}: write that."


def _phases(tree: PlanTree) -> Iterator[Problem]:
    yield from twice(("phases",), "key", (node.key for node in tree.phases))
    for index, node in enumerate(tree.phases):
        if not node.tasks:
            yield Problem(("phases", index, "tasks"), "A phase needs at least one task.")


def _tasks(tree: PlanTree, known: Known) -> Iterator[Problem]:
    codes = Counter[str]()
    recorded: dict[str, str] = {}
    signed: dict[tuple[str, str], str] = {}
    for place, phase in enumerate(tree.phases):
        for index, task in enumerate(phase.tasks):
            path: Path = ("phases", place, "tasks", index)
            codes[task.code] += 1
            if codes[task.code] > 1:
                yield Problem((*path, "code"), f"{task.code} is the code of two tasks.")
            for field, message in (
                *_due(task, known),
                *_condition(task),
                *_records(task, known, recorded),
                *_signs(task, known, signed),
                *task_links(task, known),
            ):
                yield Problem((*path, field), message)


def _due(task: TaskNode, known: Known) -> Iterator[tuple[str, str]]:
    if task.anchor not in known.key_dates:
        yield "due", f"{task.anchor} is no key date of this plan."
    elif task.unit == Unit.HOURS and not known.has_time(task.anchor):
        yield "due", f"Hours cannot be counted from {task.anchor}, which is a day: count in days."
    if task.owner in task.helps:
        yield "helps", f"{task.owner} owns the task and need not help as well."


def _condition(task: TaskNode) -> Iterator[tuple[str, str]]:
    if not task.mandatory and not (task.condition or task.applies_if):
        box = "“When it applies, in words” (in a file: condition)"
        yield "mandatory", f"Say when a task applies that is not mandatory, under {box}."
    if task.mandatory and task.condition:
        yield "condition", "A task with a condition is not mandatory: write mandatory: false."


def _records(task: TaskNode, known: Known, recorded: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not task.records:
        return
    node = known.key_dates.get(task.records)
    if node is None:
        yield "records", f"{task.records} is no key date of this plan."
    elif node.same_as:
        yield "records", f"{node.key} is the same as {node.same_as}: record that one."
    elif task.records in recorded:
        yield "records", f"{task.records} is already recorded by {recorded[task.records]}."
    recorded.setdefault(task.records, task.code)


def _signs(
    task: TaskNode, known: Known, signed: dict[tuple[str, str], str]
) -> Iterator[tuple[str, str]]:
    if not task.gate:
        return
    gate = known.gates.get(task.gate)
    if gate is None:
        yield "signs", f"{task.gate} is no gate of this plan."
        return
    seat = next((seat for seat in gate.seats if seat.key == task.seat), None)
    if seat is None:
        yield "signs", f"The gate {gate.key} has no seat {task.seat}."
    elif (gate.key, seat.key) in signed:
        yield "signs", f"That seat is already signed by {signed[gate.key, seat.key]}."
    elif task.owner not in seat.roles:
        yield "owner", f"The seat is for {', '.join(seat.roles)}, so {task.owner} cannot sign it."
    signed.setdefault((task.gate, task.seat), task.code)


def _gates(tree: PlanTree, known: Known) -> Iterator[Problem]:
    yield from twice(("gates",), "key", (node.key for node in tree.gates))
    for index, gate in enumerate(tree.gates):
        path: Path = ("gates", index)
        if not gate.statement:
            yield Problem((*path, "statement"), "A signer declares something: write the statement.")
        if not gate.seats:
            yield Problem((*path, "seats"), "A gate needs at least one seat to sign.")
        yield from twice((*path, "seats"), "key", (seat.key for seat in gate.seats))
        for place, seat in enumerate(gate.seats):
            for message in _seat(seat):
                yield Problem((*path, "seats", place, "roles"), message)
        for place, name in enumerate(gate.blocks):
            if not _can_wait(name, gate, known):
                message = (
                    f"{name} cannot be blocked: name a key date, gate:KEY for another gate, "
                    "or finish."
                )
                yield Problem((*path, "blocks", place), message)
        yield from _covers(path, gate, known)
    links = {gate.key: tuple(blocked_gates(gate)) for gate in tree.gates}
    waiting = circle({key: [n for n in names if n != key] for key, names in links.items()})
    if waiting:
        index = [gate.key for gate in tree.gates].index(waiting[0])
        message = f"These gates wait for each other: {', '.join(waiting)}."
        yield Problem(("gates", index, "blocks"), message)


def blocked_gates(gate: GateNode) -> Iterator[str]:
    """The gates that may not be signed before this one."""
    for name in gate.blocks:
        if name.startswith(GATE_PREFIX):
            yield name.removeprefix(GATE_PREFIX)


def _can_wait(name: str, gate: GateNode, known: Known) -> bool:
    if name.startswith(GATE_PREFIX):
        return name.removeprefix(GATE_PREFIX) in known.gates.keys() - {gate.key}
    return name == FINISH or name in known.key_dates


def _seat(seat: SeatNode) -> Iterator[str]:
    if not seat.roles:
        yield "Name at least one role that may sign."
    for role in seat.roles:
        if role not in SIGNERS:
            yield f"Nobody can sign as {role}; roles that can are {', '.join(SIGNERS)}."


def _covers(path: Path, gate: GateNode, known: Known) -> Iterator[Problem]:
    for place, key in enumerate(gate.cover_phases):
        if key not in known.phases:
            yield Problem((*path, "covers", "phases", place), f"{key} is no phase of this plan.")
    for place, code in enumerate(gate.cover_tasks):
        if code not in known.tasks:
            yield Problem((*path, "covers", "tasks", place), f"{code} is no task of this plan.")
