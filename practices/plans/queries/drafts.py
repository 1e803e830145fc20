"""A draft as the workbench lists it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst

from practices.plans.models import PlanVersion
from practices.plans.rules import (
    NOT_PREFIX,
    PlanTree,
    TaskNode,
    Wording,
    check,
    inside,
    listed,
    role,
    span,
)

from .trees import tree_of


@dataclass(frozen=True)
class PartRow:
    """A part in a list: what it is called, and what it says in short."""

    key: str
    title: str
    facts: list[str] = field(default_factory=list)
    tag: str = ""
    tasks: int = 0


@dataclass(frozen=True)
class DraftPage:
    """What a draft holds and how far it is from being published."""

    version: PlanVersion
    tree: PlanTree
    task_count: int
    faults: int


def draft_of(slug: str) -> PlanVersion | None:
    """The draft of a plan, if it has one."""
    return (
        PlanVersion.objects.filter(plan__slug=slug, state=PlanVersion.State.DRAFT)
        .select_related("plan", "created_by")
        .first()
    )


def draft_page(version: PlanVersion) -> DraftPage:
    tree = tree_of(version)
    return DraftPage(version, tree, sum(1 for _ in tree.tasks()), len(check(tree)))


def part_rows(tree: PlanTree, kind: str) -> list[PartRow]:
    """The parts of one kind, in their order; tasks are listed by :func:`task_rows`."""
    say, uses = Wording(tree), _uses(tree)
    rows: Callable[[Any], PartRow] = {
        "key_date": lambda node: PartRow(
            node.key, f"{node.title} ({node.key})", [capfirst(say.place(node))]
        ),
        "phase": lambda node: PartRow(
            node.key, node.title, [node.duration] if node.duration else [], tasks=len(node.tasks)
        ),
        "gate": lambda node: PartRow(node.key, node.title, _gate(node, say)),
        "clock": lambda node: PartRow(
            node.key,
            node.title,
            [
                span(node.limit, node.unit),
                f"from {say.fact(node.starts)} to {say.fact(node.stops)}",
            ],
            tag="" if node.enabled else "Off",
        ),
        "reminder": lambda node: PartRow(
            node.key, node.title, [capfirst(say.times(node))], tag="" if node.enabled else "Off"
        ),
        "condition": lambda node: PartRow(
            node.key, node.title, [node.question, say.answer(node), _used(uses[node.key])]
        ),
    }[kind]
    return [rows(node) for node in getattr(tree, f"{kind}s")]


def task_rows(tree: PlanTree, phase: str) -> list[PartRow]:
    """The tasks of a phase, in their order."""
    say = Wording(tree)
    return [_task(task, say) for one in tree.phases if one.key == phase for task in one.tasks]


def _task(task: TaskNode, say: Wording) -> PartRow:
    facts = [role(task.owner), say.due(task)]
    if task.after:
        facts.append(f"waits for {listed([say.waits(link) for link in task.after])}")
    if task.applies_if:
        facts.append(f"if {listed([say.applies(name) for name in task.applies_if])}")
    return PartRow(
        task.code,
        f"{task.code} {task.title}",
        facts,
        tag="" if task.mandatory else "Not mandatory",
    )


def _gate(node: Any, say: Wording) -> list[str]:
    facts = [f"Signed by {listed([inside(seat.title) for seat in node.seats])}"]
    if node.blocks:
        facts.append(f"without it no {listed([say.blocked(name) for name in node.blocks])}")
    return facts


def _used(count: int) -> str:
    return f"used by {count} task{'' if count == 1 else 's'}"


def _uses(tree: PlanTree) -> Counter[str]:
    return Counter(
        name.removeprefix(NOT_PREFIX) for task in tree.tasks() for name in task.applies_if
    )
