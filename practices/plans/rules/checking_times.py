"""What a plan's clocks and reminders must be."""

from collections.abc import Iterator

from .known import Known, Problem, twice, untold
from .tree import (
    ANY_GATE,
    BREACH_PREFIX,
    GATE_PREFIX,
    TASK_PREFIX,
    ClockNode,
    PlanTree,
    ReminderNode,
    Unit,
)


def clocks(tree: PlanTree, known: Known) -> Iterator[Problem]:
    """Faults of clocks: what starts and stops them, and their warnings."""
    yield from twice(("clocks",), "key", (node.key for node in tree.clocks))
    for index, node in enumerate(tree.clocks):
        for field, message in (*_run(node, known), *_warnings(node)):
            yield Problem(("clocks", index, field), message)


def _run(node: ClockNode, known: Known) -> Iterator[tuple[str, str]]:
    if node.starts.startswith(BREACH_PREFIX):
        yield from _follows(node, known)
    else:
        yield from _fact("starts", node.starts, known)
        if node.unit == Unit.HOURS and not known.has_time(node.starts):
            message = f"Hours cannot be counted from {node.starts}, which is a day: count in days."
            yield "unit", message
    yield from _fact("stops", node.stops, known)
    if node.starts == node.stops:
        yield "stops", "A clock cannot stop where it starts."


def _follows(node: ClockNode, known: Known) -> Iterator[tuple[str, str]]:
    """A clock that opens when another was stopped too late."""
    before = known.clocks.get(node.starts.removeprefix(BREACH_PREFIX))
    if before is None:
        yield "starts", f"{node.starts.removeprefix(BREACH_PREFIX)} is no clock of this plan."
    elif before.starts.startswith(BREACH_PREFIX):
        yield "starts", f"{before.key} follows a breach itself: only one clock can follow another."


def _fact(field: str, name: str, known: Known) -> Iterator[tuple[str, str]]:
    """A key date of the plan, or one of its tasks."""
    code = name.removeprefix(TASK_PREFIX)
    if code == name:
        if name not in known.key_dates:
            yield field, f"{name} is no key date of this plan; a task is written task:CODE."
    elif code not in known.tasks:
        yield field, f"{code} is no task of this plan."


def _warnings(node: ClockNode) -> Iterator[tuple[str, str]]:
    if any(after > node.limit for after in node.warn_after):
        yield "warn_after", f"The clock ends after {node.limit} {node.unit}: warn by then."
    if any(before >= node.limit for before in node.warn_before):
        yield "warn_before", f"The clock lasts only {node.limit} {node.unit}: warn later."
    for field, numbers in (("warn_after", node.warn_after), ("warn_before", node.warn_before)):
        if len(set(numbers)) < len(numbers):
            yield field, "A warning is there twice."
    yield from untold(node.tell)
    if (node.warn_after or node.warn_before or node.repeat_every) and not node.tell:
        yield "tell", "Name the roles that the warnings go to."


def reminders(tree: PlanTree, known: Known) -> Iterator[Problem]:
    """Faults of reminders: what they count from, how often, until when and who is told."""
    yield from twice(("reminders",), "key", (node.key for node in tree.reminders))
    for index, node in enumerate(tree.reminders):
        for field, message in (*_counted(node, known), *_until(node, known), *_told(node)):
            yield Problem(("reminders", index, field), message)


def _counted(node: ReminderNode, known: Known) -> Iterator[tuple[str, str]]:
    if node.anchor.startswith(GATE_PREFIX):
        if node.anchor != ANY_GATE and node.anchor.removeprefix(GATE_PREFIX) not in known.gates:
            yield "when", f"{node.anchor.removeprefix(GATE_PREFIX)} is no gate of this plan."
        if node.unit == Unit.HOURS:
            yield "when", "What waits is told of on mornings: count in days."
        if any(offset < 0 for offset in node.offsets):
            yield "when", "Nobody knows before when a gate will wait: count from 0 on."
    elif node.anchor not in known.key_dates:
        message = f"{node.anchor} is no key date of this plan; a gate is written gate:KEY."
        yield "when", message
    elif node.unit == Unit.HOURS and not known.has_time(node.anchor):
        yield "when", f"Hours cannot be counted from {node.anchor}, which is a day: count in days."
    if not node.offsets:
        yield "when", "Say under by at least once when to remind."
    if len(set(node.offsets)) < len(node.offsets):
        yield "when", "A time is there twice."


def _until(node: ReminderNode, known: Known) -> Iterator[tuple[str, str]]:
    if node.anchor.startswith(GATE_PREFIX):
        if node.until:
            yield "until", "This reminder ends when the gate is signed: leave until out."
    elif node.until:
        yield from _fact("until", node.until, known)
    elif node.repeat_every:
        yield "until", "What is said again and again must end: name the task or date it waits for."


def _told(node: ReminderNode) -> Iterator[tuple[str, str]]:
    yield from untold(node.tell)
    if not node.tell:
        yield "tell", "Name the roles that are told."
    if not node.advice:
        yield "advice", "Say in a sentence what to do."
