"""A plan in words, as pages and comparisons say it."""

from collections.abc import Iterable

from practices.accounts.roles import Owner

from .tree import (
    ANY_GATE,
    BREACH_PREFIX,
    FINISH,
    GATE_PREFIX,
    NOT_PREFIX,
    TASK_PREFIX,
    AfterNode,
    Basis,
    ClockNode,
    ConditionNode,
    Delivery,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    Precision,
    ReminderNode,
    System,
    TaskNode,
    Unit,
)

# A field's value, to tell whether two are the same, and how a person says it.
Fields = dict[str, tuple[object, str]]

SINGULAR: dict[str, str] = {Unit.HOURS: "hour", Unit.DAYS: "day", Unit.WORKING_DAYS: "working day"}


def span(number: int, unit: str) -> str:
    """``1 day``, ``72 hours``, ``5 working days``; the sign is left out."""
    one = SINGULAR.get(unit, "unit")  # a draft may not say it yet
    return f"{abs(number)} {one}{'' if abs(number) == 1 else 's'}"


def when(offset: int, unit: str, anchor: str) -> str:
    """``28 days before final data production``, ``at go-live``, ``on the day of the survey``.

    ``anchor`` is the title of the key date the offset counts from.
    """
    name = inside(anchor)
    if not offset:
        return f"at {name}" if unit == Unit.HOURS else f"on the day of {name}"
    return f"{span(offset, unit)} {'before' if offset < 0 else 'after'} {name}"


def inside(title: str) -> str:
    """A title within a sentence: ``Go-live`` is ``go-live``, ``EPS test`` stays."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def listed(words: list[str]) -> str:
    """``a, b and c``; ``none`` for nothing."""
    if not words:
        return "none"
    return f"{', '.join(words[:-1])} and {words[-1]}" if words[1:] else words[0]


def roles(keys: Iterable[str]) -> str:
    """Roles as people call them: ``practice manager and lead GP``."""
    return listed([inside(role(key)) for key in keys])


def role(key: str) -> str:
    """A role as people call it; one that is none, as a draft may name, by its name."""
    return Owner(key).label if key in Owner.values else key or "Nobody"


def yes_no(value: bool) -> str:
    return "yes" if value else "no"


class Titles(dict[str, str]):
    """Titles by key; what a draft names and does not have is said by its name."""

    def __missing__(self, key: str) -> str:
        return f"{key} (not in this plan)" if key else ""


class Wording:
    """Says the parts of one plan; what refers to another part is said by its title."""

    def __init__(self, tree: PlanTree) -> None:
        self.key_dates = Titles((node.key, node.title) for node in tree.key_dates)
        self.phases = Titles((node.key, node.title) for node in tree.phases)
        self.gates = Titles((node.key, node.title) for node in tree.gates)
        self.clocks = Titles((node.key, node.title) for node in tree.clocks)
        self.conditions = Titles((node.key, node.title) for node in tree.conditions)
        self.tasks = Titles((node.code, node.title) for node in tree.tasks())
        self.seats = {
            (gate.key, seat.key): seat.title for gate in tree.gates for seat in gate.seats
        }
        self.phase_of = {task.code: phase.key for phase in tree.phases for task in phase.tasks}

    def place(self, node: KeyDateNode) -> str:
        """How a key date is found."""
        if node.same_as:
            return f"the same as {inside(self.key_dates[node.same_as])}"
        if node.clock:
            return f"the end of the clock “{self.clocks[node.clock]}”"
        if node.offset is None:
            return "chosen for each migration"
        return when(node.offset, node.unit, "go-live")

    def due(self, node: TaskNode) -> str:
        return when(node.offset, node.unit, self.key_dates[node.anchor])

    def fact(self, name: str) -> str:
        """What starts or stops a clock."""
        if name.startswith(TASK_PREFIX):
            return f"task {name.removeprefix(TASK_PREFIX)}"
        if name.startswith(BREACH_PREFIX):
            return f"the late end of “{self.clocks[name.removeprefix(BREACH_PREFIX)]}”"
        return inside(self.key_dates[name])

    def blocked(self, name: str) -> str:
        """What may not happen before a gate is open."""
        if name == FINISH:
            return "finishing the migration"
        if name.startswith(GATE_PREFIX):
            return f"signing “{self.gates[name.removeprefix(GATE_PREFIX)]}”"
        return inside(self.key_dates[name])

    def signature(self, node: TaskNode) -> str:
        """The gate and seat that a task signs, or nothing."""
        if not node.gate:
            return ""
        return f"{self.gates[node.gate]}: {self.seats.get((node.gate, node.seat), node.seat)}"

    def applies(self, name: str) -> str:
        """A condition as it must be: ``dispensing practice``, ``not: dispensing practice``."""
        title = inside(self.conditions[name.removeprefix(NOT_PREFIX)])
        return f"not: {title}" if name.startswith(NOT_PREFIX) else title

    def waits(self, node: AfterNode) -> str:
        """What a task waits for: ``CUT-16``, ``2 days after CUT-16``."""
        return f"{span(node.lag, node.unit)} after {node.task}" if node.lag else node.task

    def plan(self, tree: PlanTree) -> Fields:
        return _plain(title=tree.title, summary=tree.summary, sources=tree.source)

    def key_date(self, node: KeyDateNode) -> Fields:
        return {
            "title": (node.title, node.title),
            "precision": (node.precision, Precision(node.precision).label),
            "place": ((node.offset, node.unit, node.same_as, node.clock), self.place(node)),
            "source": (node.source, node.source),
        }

    def phase(self, node: PhaseNode) -> Fields:
        return _plain(title=node.title, duration=node.duration, source=node.source)

    def task(self, node: TaskNode) -> Fields:
        phase = self.phase_of.get(node.code, "")
        return {
            **_plain(title=node.title, guidance=node.guidance, lesson=node.lesson),
            "phase": (phase, self.phases[phase]),
            "owner": (node.owner, roles([node.owner])),
            "helpers": (node.helps, roles(node.helps)),
            "due time": ((node.anchor, node.offset, node.unit), self.due(node)),
            "basis": (node.basis, Basis(node.basis).label),
            "mandatory": (node.mandatory, yes_no(node.mandatory)),
            **_plain(condition=node.condition, evidence=node.evidence),
            "key date it records": (node.records, self.key_dates[node.records]),
            "seat it signs": ((node.gate, node.seat), self.signature(node)),
            "conditions": (node.applies_if, listed([self.applies(key) for key in node.applies_if])),
            "what it waits for": (node.after, listed([self.waits(link) for link in node.after])),
            **_plain(source=node.source),
        }

    def gate(self, node: GateNode) -> Fields:
        seats = "; ".join(f"{seat.title} ({roles(seat.roles)})" for seat in node.seats)
        return {
            **_plain(title=node.title, statement=node.statement),
            "seats": (node.seats, seats),
            "different people": (node.different_people, yes_no(node.different_people)),
            "covered phases": (
                node.cover_phases,
                listed([self.phases[key] for key in node.cover_phases]),
            ),
            "covered tasks": (node.cover_tasks, listed(list(node.cover_tasks))),
            "what it blocks": (node.blocks, listed([self.blocked(name) for name in node.blocks])),
            "who is sent the confirmation": (
                node.confirm_to,
                roles([node.confirm_to] if node.confirm_to else []),
            ),
            **_plain(condition=node.condition, source=node.source),
        }

    def clock(self, node: ClockNode) -> Fields:
        return {
            **_plain(title=node.title),
            "switch": (node.enabled, "on" if node.enabled else "off"),
            "start": (node.starts, self.fact(node.starts)),
            "stop": (node.stops, self.fact(node.stops)),
            "limit": ((node.limit, node.unit), span(node.limit, node.unit)),
            "warnings after the start": (
                node.warn_after,
                listed([span(number, node.unit) for number in node.warn_after]),
            ),
            "warnings before the end": (
                node.warn_before,
                listed([span(number, node.unit) for number in node.warn_before]),
            ),
            "repetition after the end": (
                node.repeat_every,
                f"every {span(node.repeat_every, node.unit)}" if node.repeat_every else "none",
            ),
            "who is warned": (node.tell, roles(node.tell)),
            **_plain(source=node.source),
        }

    def times(self, node: ReminderNode) -> str:
        """When a reminder is given: ``3 days before FDP and 1 day before FDP, then every day``."""
        if node.anchor == ANY_GATE:
            anchor = "a gate is ready to sign"
        elif node.anchor.startswith(GATE_PREFIX):
            anchor = f"“{self.gates[node.anchor.removeprefix(GATE_PREFIX)]}” is ready to sign"
        else:
            anchor = self.key_dates[node.anchor]
        said = listed([when(offset, node.unit, anchor) for offset in node.offsets])
        if not node.repeat_every:
            return said
        again = "day" if node.repeat_every == 1 else span(node.repeat_every, Unit.DAYS)
        return f"{said}, then every {again}"

    def until(self, node: ReminderNode) -> str:
        """What ends a reminder, or nothing."""
        if node.anchor.startswith(GATE_PREFIX):
            return "the gate is signed"
        return f"{self.fact(node.until)} is done" if node.until else ""

    def escalation(self, node: ReminderNode) -> str:
        """When the project manager is told too."""
        if not node.escalate_after:
            return "never"
        return f"after {node.escalate_after} time{'' if node.escalate_after == 1 else 's'}"

    def reminder(self, node: ReminderNode) -> Fields:
        return {
            **_plain(title=node.title),
            "switch": (node.enabled, "on" if node.enabled else "off"),
            "times": (
                (node.anchor, node.offsets, node.unit, node.repeat_every),
                self.times(node),
            ),
            "end": (node.until, self.until(node)),
            "delivery": (node.deliver, Delivery(node.deliver).label),
            "who is told": (node.tell, roles(node.tell)),
            "telling the project manager too": (node.escalate_after, self.escalation(node)),
            **_plain(advice=node.advice, source=node.source),
        }

    def answer(self, node: ConditionNode) -> str:
        """How a condition is answered."""
        return f"yes when {System(node.system).label} is {node.named}" if node.system else "asked"

    def condition(self, node: ConditionNode) -> Fields:
        return {
            **_plain(title=node.title, question=node.question),
            "answer": ((node.system, node.named), self.answer(node)),
            **_plain(source=node.source),
        }


def _plain(**fields: str) -> Fields:
    return {name: (value, value) for name, value in fields.items()}
