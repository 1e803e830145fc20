"""What one plan changes of another, in words for the person who publishes it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from .content import PLAN, Part, node_of
from .tree import PlanTree, TaskNode
from .words import Fields, Wording

# Longer texts are said to be reworded; both wordings are there to unfold.
SHORT = 80

T = TypeVar("T")


@dataclass(frozen=True)
class Difference:
    """A field that two states of a part say differently, and both as a person says them."""

    field: str
    before: str
    after: str

    @property
    def is_long(self) -> bool:
        """Whether they are too long for one sentence."""
        return max(len(self.before), len(self.after)) > SHORT or "\n" in self.before + self.after

    def __str__(self) -> str:
        if not self.is_long:
            return f"{self.field} from {self.before or 'nothing'} to {self.after or 'nothing'}"
        if self.before and self.after:
            return f"{self.field} reworded"
        return f"{self.field} {'added' if self.after else 'removed'}"


@dataclass(frozen=True)
class Change:
    """One difference: ``kind`` is added, removed or changed, ``detail`` says how.

    ``text`` holds both wordings where they are too long for ``detail``.
    """

    kind: str
    subject: str
    detail: str = ""
    text: Difference | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail or self.kind}"


def differences(kind: str, before: Part, after: Part, say: Wording) -> list[Difference]:
    """What differs between two states of one part of a draft."""
    was, now = _said(kind, before, say), _said(kind, after, say)
    found = [
        Difference(name, was[name][1], said)
        for name, (value, said) in now.items()
        if was[name][0] != value
    ]
    if kind == "task" and before["phase"] != after["phase"]:
        phases = say.phases[before["phase"]], say.phases[after["phase"]]
        found.append(Difference("phase", *phases))
    return found


def _said(kind: str, part: Part, say: Wording) -> Fields:
    if kind == PLAN:
        tree = PlanTree(slug="", key_dates=(), phases=(), gates=(), clocks=(), **part)
        return say.plan(tree)
    fields: Fields = getattr(say, kind)(node_of(kind, part))
    return fields


def changes(old: PlanTree, new: PlanTree) -> list[Change]:
    """Everything that differs, kind by kind; what was removed comes after what is there."""
    was, now = Wording(old), Wording(new)
    return [
        *_fields("Plan", was.plan(old), now.plan(new)),
        *_parts("Key date", old.key_dates, new.key_dates, was.key_date, now.key_date),
        *_parts("Phase", old.phases, new.phases, was.phase, now.phase),
        *_parts("Task", old.tasks(), new.tasks(), was.task, now.task),
        *_parts("Gate", old.gates, new.gates, was.gate, now.gate),
        *_parts("Clock", old.clocks, new.clocks, was.clock, now.clock),
        *_parts("Reminder", old.reminders, new.reminders, was.reminder, now.reminder),
        *_parts("Condition", old.conditions, new.conditions, was.condition, now.condition),
    ]


def _parts(
    noun: str,
    old: Iterable[T],
    new: Iterable[T],
    say_old: Callable[[T], Fields],
    say_new: Callable[[T], Fields],
) -> Iterator[Change]:
    was = {_name(part): part for part in old}
    now = {_name(part): part for part in new}
    for name, part in now.items():
        if name not in was:
            yield Change("added", _subject(noun, part))
        else:
            yield from _fields(_subject(noun, part), say_old(was[name]), say_new(part))
    for name, part in was.items():
        if name not in now:
            yield Change("removed", _subject(noun, part))
    kept_before = [name for name in was if name in now]
    if kept_before != [name for name in now if name in was]:
        yield Change("changed", f"{noun}s", "in another order")


def _name(part: Any) -> str:
    """What a part keeps across versions."""
    return part.code if isinstance(part, TaskNode) else part.key


def _subject(noun: str, part: Any) -> str:
    return f"{noun} {part.code} {part.title}" if noun == "Task" else f"{noun} {part.title}"


def _fields(subject: str, old: Fields, new: Fields) -> Iterator[Change]:
    for name, (value, said) in new.items():
        before, said_before = old[name]
        if before != value:
            found = Difference(name, said_before, said)
            yield Change("changed", subject, str(found), found if found.is_long else None)
