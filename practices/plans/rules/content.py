"""A draft as plain values, and the steps that lead from one state of it to the next.

A draft may be anything that people have typed so far: what it must be is asked by
:func:`check` before it is published. It is kept as lists of parts, each with its key, so that
a step can say what was there before and what is there now. Steps can be taken back, as long
as nobody has changed the same thing since.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .tree import (
    AfterNode,
    ClockNode,
    ConditionNode,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    ReminderNode,
    SeatNode,
    TaskNode,
)

Part = dict[str, Any]
Content = dict[str, Any]
Step = dict[str, Any]

PLAN = "plan"
NODES: dict[str, type[Any]] = {
    "key_date": KeyDateNode,
    "phase": PhaseNode,
    "task": TaskNode,
    "gate": GateNode,
    "clock": ClockNode,
    "reminder": ReminderNode,
    "condition": ConditionNode,
}
KINDS = tuple(NODES)
LISTS = {
    "seats": SeatNode,
    "after": AfterNode,
}  # fields that hold parts without a life of their own
# Fields that say one thing together: who changes one of them means the others as they were.
TIED: dict[str, tuple[frozenset[str], ...]] = {
    "key_date": (frozenset({"precision", "offset", "unit", "same_as", "clock"}),),
    "task": (frozenset({"anchor", "offset", "unit"}), frozenset({"gate", "seat"})),
    "clock": (frozenset({"limit", "unit"}),),
    "reminder": (frozenset({"anchor", "offsets", "unit"}),),
    "condition": (frozenset({"system", "named"}),),
}
SET, ADD, REMOVE, ORDER = "set", "add", "remove", "order"


class Overtaken(Exception):
    """A step cannot be taken: what it starts from has been changed.

    ``step`` is that step, ``now`` the value that is there instead, None for a part that is gone.
    """

    def __init__(self, step: Step, now: object) -> None:
        super().__init__(f"{step['kind']} {step.get('key', '')} has changed")
        self.step, self.now = step, now


def key_of(kind: str, part: Part) -> str:
    """What a part keeps as long as it lives."""
    key: str = part["code" if kind == "task" else "key"]
    return key


def tied(kind: str, field: str) -> frozenset[str]:
    """A field, and those that say one thing with it."""
    groups = (group for group in TIED.get(kind, ()) if field in group)
    return next(groups, frozenset({field}))


def part_of(node: Any) -> Part:
    """A node of the tree as plain values."""
    return {
        name: [_plain(one) for one in value]
        if name in LISTS
        else list(value)
        if isinstance(value, tuple)
        else value
        if isinstance(value, bool | int) or value is None
        else str(value)
        for name, value in ((field.name, getattr(node, field.name)) for field in fields(node))
        if name != "tasks"
    }


def _plain(inner: Any) -> Part:
    """A seat or a link as JSON gives it back: with lists, so that the two are equal."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(inner).items()}


def node_of(kind: str, part: Part) -> Any:
    """The node that a part says."""
    cls = NODES[kind]
    known = {field.name for field in fields(cls)}
    values = {
        name: tuple(_inner(LISTS[name], one) for one in value)
        if name in LISTS
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in part.items()
        if name in known
    }
    return cls(**values, tasks=()) if kind == "phase" else cls(**values)


def _inner(cls: Any, part: Part) -> Any:
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in part.items()})


def content_of(tree: PlanTree) -> Content:
    """A plan as a draft keeps it."""
    plan = {name: getattr(tree, name) for name in ("title", "summary", "source")}
    content: Content = {PLAN: plan}
    for kind in KINDS:
        if kind != "task":
            content[kind] = [part_of(node) for node in getattr(tree, f"{kind}s")]
    content["task"] = [
        {**part_of(task), "phase": phase.key} for phase in tree.phases for task in phase.tasks
    ]
    return content


def tree_from(content: Content, *, slug: str) -> PlanTree:
    """The tree that a draft says, with whatever faults it has."""
    tasks: dict[str, list[TaskNode]] = {}
    for part in content["task"]:
        tasks.setdefault(part["phase"], []).append(node_of("task", part))
    nodes: dict[str, Any] = {
        f"{kind}s": tuple(node_of(kind, part) for part in content[kind]) for kind in KINDS
    }
    nodes.pop("tasks")
    nodes["phases"] = tuple(
        replace(phase, tasks=tuple(tasks.get(phase.key, ()))) for phase in nodes["phases"]
    )
    return PlanTree(slug=slug, **content[PLAN], **nodes)


def find(content: Content, kind: str, key: str) -> Part | None:
    """A part of a draft; the plan itself has no key."""
    if kind == PLAN:
        part: Part = content[PLAN]
        return part
    return next((part for part in content[kind] if key_of(kind, part) == key), None)


def seen_before(part: Part | None, kind: str, key: str, steps: Iterable[Step]) -> Part | None:
    """A part as it was before some steps, which come newest first."""
    for step in steps:
        if step["kind"] == kind and step.get("key") == key:
            if step["do"] == SET and part is not None:
                part = {**part, step["field"]: step["before"]}
            elif step["do"] == REMOVE:
                part = step["part"]
    return part


def steps_between(before: Content, after: Content) -> list[Step]:
    """What leads from one state of a draft to another."""
    steps = list(_set(PLAN, "", before[PLAN], after[PLAN]))
    for kind in KINDS:
        was = {key_of(kind, part): part for part in before[kind]}
        now = {key_of(kind, part): part for part in after[kind]}
        # From the end, so that each still has before it what it stands behind, also on the way
        # back; and what stays is put in order before anything is added between.
        steps += [_whole(REMOVE, kind, key, was) for key in reversed(was) if key not in now]
        kept_before = [key for key in was if key in now]
        kept_now = [key for key in now if key in was]
        if kept_before != kept_now:
            steps.append({"do": ORDER, "kind": kind, "before": kept_before, "after": kept_now})
        for key, part in now.items():
            if key in was:
                steps += _set(kind, key, was[key], part)
            else:
                steps.append(_whole(ADD, kind, key, now))
    return deepcopy(steps)


def _set(kind: str, key: str, was: Part, now: Part) -> Iterator[Step]:
    for name in now:
        if was.get(name) != now[name]:
            yield {
                "do": SET,
                "kind": kind,
                "key": key,
                "field": name,
                "before": was.get(name),
                "after": now[name],
            }


def _whole(do: str, kind: str, key: str, parts: dict[str, Part]) -> Step:
    """A part that comes or goes, and the one it stands behind: empty for the first."""
    names = list(parts)
    place = names.index(key)
    behind = names[place - 1] if place else ""
    return {"do": do, "kind": kind, "key": key, "part": parts[key], "behind": behind}


def inverse(steps: Iterable[Step]) -> list[Step]:
    """The steps that take these back."""
    turned = []
    for step in reversed(list(steps)):
        back = dict(step)
        if step["do"] in (SET, ORDER):
            back["before"], back["after"] = step["after"], step["before"]
        else:
            back["do"] = REMOVE if step["do"] == ADD else ADD
        turned.append(back)
    return turned


def take(content: Content, steps: Iterable[Step]) -> Content:
    """The draft after some steps. Raises :class:`Overtaken` where one does not fit any more."""
    content = deepcopy(content)
    for step in steps:
        _TAKE[step["do"]](content, step)
    return content


def _take_set(content: Content, step: Step) -> None:
    part = find(content, step["kind"], step["key"])
    if part is None or part.get(step["field"]) != step["before"]:
        raise Overtaken(step, part and part.get(step["field"]))
    part[step["field"]] = deepcopy(step["after"])


def _take_add(content: Content, step: Step) -> None:
    kind, key = step["kind"], step["key"]
    if (there := find(content, kind, key)) is not None:
        raise Overtaken(step, there)
    keys = [key_of(kind, part) for part in content[kind]]
    place = keys.index(step["behind"]) + 1 if step["behind"] in keys else 0
    content[kind].insert(place, deepcopy(step["part"]))


def _take_remove(content: Content, step: Step) -> None:
    part = find(content, step["kind"], step["key"])
    if part != step["part"]:
        raise Overtaken(step, part)
    content[step["kind"]].remove(part)


def _take_order(content: Content, step: Step) -> None:
    kind, after = step["kind"], step["after"]
    moved = set(after)
    parts = {key_of(kind, part): part for part in content[kind]}
    there = [key for key in parts if key in moved]
    if there != step["before"]:
        raise Overtaken(step, there)
    order = iter(after)
    content[kind] = [parts[next(order) if key in moved else key] for key in parts]


_TAKE = {SET: _take_set, ADD: _take_add, REMOVE: _take_remove, ORDER: _take_order}


@dataclass(frozen=True)
class Clash:
    """A field that two people changed: what one meant, and what the other has written."""

    field: str
    mine: Any
    theirs: Any
