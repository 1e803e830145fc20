"""A plan as a tree of values: what YAML says, what is checked, compared and stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models

GO_LIVE = "GL"
CUT_OVER_START = "FDP"
END_OF_ACCESS = "EOA"
# Every migration is steered by these three: start of cut-over, go-live, end of access.
OBLIGATORY_KEY_DATES = (CUT_OVER_START, GO_LIVE, END_OF_ACCESS)

TASK_PREFIX = "task:"
GATE_PREFIX = "gate:"
BREACH_PREFIX = "breach:"
NOT_PREFIX = "not:"
ANY_GATE = "gate:*"
FINISH = "finish"


class Unit(models.TextChoices):
    HOURS = "hours", "hours"
    DAYS = "days", "calendar days"
    WORKING_DAYS = "working_days", "working days"


class Basis(models.TextChoices):
    """Where a timing comes from (guide.md 0.3)."""

    SOURCE = "source", "stated by the source"
    ESTIMATE = "estimate", "made from a rough figure of the source"
    SUGGESTED = "suggested", "our suggestion"


class Precision(models.TextChoices):
    DAY = "day", "a day"
    MINUTE = "minute", "a day and time"


class System(models.TextChoices):
    """The clinical system whose name answers a condition."""

    SOURCE = "source", "the old system"
    TARGET = "target", "the new system"


class Delivery(models.TextChoices):
    """When a reminder that is due goes out."""

    WORKING_MORNING = "working_morning", "on working mornings"
    ANY_HOUR = "any_hour", "at any hour, also at night and at weekends"


@dataclass(frozen=True)
class KeyDateNode:
    """An anchor: go-live plus an offset, another name of a key date, or the end of a clock."""

    key: str
    title: str
    precision: str
    offset: int | None = None
    unit: str = ""
    same_as: str = ""
    clock: str = ""
    source: str = ""


@dataclass(frozen=True)
class AfterNode:
    """What a task waits for: another task, and ``lag`` ``unit`` more once that is done."""

    task: str
    lag: int = 0
    unit: str = Unit.DAYS


@dataclass(frozen=True)
class TaskNode:
    """One thing to do. ``seat`` and ``gate`` name the signature that doing it gives.

    It applies where every condition in ``applies_if`` holds (``not:KEY``: does not hold), and
    cannot be done before the tasks it comes ``after``.
    """

    code: str
    title: str
    owner: str
    anchor: str
    offset: int
    unit: str
    basis: str
    guidance: str = ""
    lesson: str = ""
    helps: tuple[str, ...] = ()
    mandatory: bool = True
    condition: str = ""
    evidence: str = ""
    records: str = ""
    gate: str = ""
    seat: str = ""
    source: str = ""
    applies_if: tuple[str, ...] = ()
    after: tuple[AfterNode, ...] = ()


@dataclass(frozen=True)
class PhaseNode:
    key: str
    title: str
    tasks: tuple[TaskNode, ...]
    duration: str = ""
    source: str = ""


@dataclass(frozen=True)
class SeatNode:
    key: str
    title: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class GateNode:
    """A decision point; ``cover_phases`` and ``cover_tasks`` are what its signatures speak for."""

    key: str
    title: str
    statement: str
    seats: tuple[SeatNode, ...]
    different_people: bool = True
    cover_phases: tuple[str, ...] = ()
    cover_tasks: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    confirm_to: str = ""
    condition: str = ""
    source: str = ""


@dataclass(frozen=True)
class ClockNode:
    """A limit; ``repeat_every`` reminds of its end again and again until it is stopped."""

    key: str
    title: str
    starts: str
    stops: str
    limit: int
    unit: str
    enabled: bool = True
    warn_after: tuple[int, ...] = ()
    warn_before: tuple[int, ...] = ()
    repeat_every: int = 0
    tell: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class ReminderNode:
    """What people are told around a key date, or while a gate waits, until a fact has happened."""

    key: str
    title: str
    anchor: str
    offsets: tuple[int, ...]
    unit: str
    tell: tuple[str, ...]
    advice: str
    enabled: bool = True
    until: str = ""
    repeat_every: int = 0
    deliver: str = Delivery.WORKING_MORNING
    escalate_after: int = 0
    source: str = ""


@dataclass(frozen=True)
class ConditionNode:
    """A question about a practice that decides which tasks apply.

    Where ``system`` is ``source`` or ``target``, the answer is known from the name of the
    migration's old or new clinical system: yes when it is ``named`` so.
    """

    key: str
    title: str
    question: str
    system: str = ""
    named: str = ""
    source: str = ""


@dataclass(frozen=True)
class PlanTree:
    """A whole plan, in the order it is shown."""

    slug: str
    title: str
    key_dates: tuple[KeyDateNode, ...]
    phases: tuple[PhaseNode, ...]
    gates: tuple[GateNode, ...]
    clocks: tuple[ClockNode, ...]
    reminders: tuple[ReminderNode, ...] = ()
    conditions: tuple[ConditionNode, ...] = ()
    summary: str = ""
    source: str = ""

    def tasks(self) -> Iterator[TaskNode]:
        """Every task, phase by phase."""
        for phase in self.phases:
            yield from phase.tasks
