"""A plan tree in its one canonical YAML form: the same content, the same bytes."""

import re
from typing import Any

import yaml

from practices.common.models import sha256
from practices.plans.rules import (
    AfterNode,
    ClockNode,
    ConditionNode,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    ReminderNode,
    TaskNode,
    Unit,
)

WIDTH = 100
# Longer than this, a text stands as a block of its own under its field.
SHORT = 80
HEADER = "# A plan of Migration Tracker. docs/plans.md explains every field.\n"

Entry = dict[str, Any]


class _Block(str):
    """A text written as a block, without quotation marks."""

    __slots__ = ()


class _Flow(dict[str, Any]):
    """A few fields written on one line: {from: GL, by: -1, unit: days}."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their field."""
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(
    _Block,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", str(text), style="|" if "\n" in text else ">"
    ),
)
_Dumper.add_representer(
    _Flow, lambda dumper, fields: dumper.represent_mapping("tag:yaml.org,2002:map", fields, True)
)
_Dumper.add_representer(
    list,
    lambda dumper, items: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", items, flow_style=not any(isinstance(i, dict) for i in items)
    ),
)


def write_plan(tree: PlanTree) -> str:
    """The canonical YAML of a plan; reading it gives the same tree."""
    body = yaml.dump(
        plan_entry(tree),
        Dumper=_Dumper,
        allow_unicode=True,
        default_flow_style=False,
        sort_keys=False,
        width=WIDTH,
    )
    # Room between sections, phases, gates and tasks. Texts are always indented deeper than these.
    spaced = re.sub(r"^(?=[a-z]\w*:$|  - key: |      - code: )", "\n", body, flags=re.MULTILINE)
    return HEADER + re.sub(r"^(\w+|    tasks):\n\n", r"\1:\n", spaced, flags=re.MULTILINE)


def plan_digest(tree: PlanTree) -> str:
    """SHA-256 of the canonical YAML: what ``sha256sum`` says of an exported file."""
    return sha256(write_plan(tree))


def _entry(**fields: Any) -> Entry:
    """The fields that say something; an empty one is left out."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _prose(text: str) -> str:
    if len(text) <= SHORT and "\n" not in text:
        return text
    # Block style cannot say spaces at line ends; quotation marks can.
    plain = all(line == line.strip() and "  " not in line for line in text.split("\n"))
    return _Block(text) if plain else text


def plan_entry(tree: PlanTree) -> Entry:
    """What a file says of a plan: fields and lists in their order, without the empty ones."""
    return _entry(
        format=1,
        slug=tree.slug,
        title=tree.title,
        summary=_prose(tree.summary),
        source=_prose(tree.source),
        key_dates=[_key_date(node) for node in tree.key_dates],
        phases=[_phase(node) for node in tree.phases],
        gates=[_gate(node) for node in tree.gates],
        clocks=[_clock(node) for node in tree.clocks],
        reminders=[_reminder(node) for node in tree.reminders],
        conditions=[_condition(node) for node in tree.conditions],
    )


def _key_date(node: KeyDateNode) -> Entry:
    counted = node.offset is not None
    return _entry(
        key=node.key,
        title=node.title,
        precision=str(node.precision),
        offset=_Flow({"from": "GL", "by": node.offset, "unit": str(node.unit)}) if counted else "",
        same_as=node.same_as,
        clock=node.clock,
        source=_prose(node.source),
    )


def _phase(node: PhaseNode) -> Entry:
    return _entry(
        key=node.key,
        title=node.title,
        duration=node.duration,
        source=_prose(node.source),
        tasks=[_task(task) for task in node.tasks],
    )


def _task(node: TaskNode) -> Entry:
    return _entry(
        code=node.code,
        title=_prose(node.title),
        guidance=_prose(node.guidance),
        lesson=_prose(node.lesson),
        owner=str(node.owner),
        helps=list(node.helps),
        due=_Flow({"from": node.anchor, "by": node.offset, "unit": str(node.unit)}),
        basis=str(node.basis),
        mandatory=None if node.mandatory else False,
        condition=_prose(node.condition),
        evidence=_prose(node.evidence),
        records=node.records,
        signs=_Flow({"gate": node.gate, "seat": node.seat}) if node.gate else "",
        source=_prose(node.source),
        applies_if=list(node.applies_if),
        after=[_after(before) for before in node.after],
    )


def _after(node: AfterNode) -> Entry:
    counted = node.lag or node.unit != Unit.DAYS
    lag = {"lag": node.lag, "unit": str(node.unit)} if counted else {}
    return _Flow({"task": node.task, **lag})


def _condition(node: ConditionNode) -> Entry:
    known = _Flow({"system": str(node.system), "named": node.named})
    return _entry(
        key=node.key,
        title=_prose(node.title),
        question=_prose(node.question),
        known_from=known if node.system else "",
        source=_prose(node.source),
    )


def _gate(node: GateNode) -> Entry:
    return _entry(
        key=node.key,
        title=_prose(node.title),
        statement=_prose(node.statement),
        seats=[
            _entry(key=seat.key, title=seat.title, roles=list(seat.roles)) for seat in node.seats
        ],
        different_people=None if node.different_people else False,
        covers=_entry(phases=list(node.cover_phases), tasks=list(node.cover_tasks)),
        blocks=list(node.blocks),
        confirm_to=str(node.confirm_to),
        condition=_prose(node.condition),
        source=_prose(node.source),
    )


def _clock(node: ClockNode) -> Entry:
    return _entry(
        key=node.key,
        title=node.title,
        enabled=node.enabled,
        starts=node.starts,
        stops=node.stops,
        limit=node.limit,
        unit=str(node.unit),
        warn_after=list(node.warn_after),
        warn_before=list(node.warn_before),
        repeat_every=node.repeat_every or None,
        tell=list(node.tell),
        source=_prose(node.source),
    )


def _reminder(node: ReminderNode) -> Entry:
    counted = {"from": node.anchor, "by": list(node.offsets), "unit": str(node.unit)}
    return _entry(
        key=node.key,
        title=node.title,
        enabled=node.enabled,
        when=_Flow(counted),
        repeat_every=node.repeat_every or None,
        until=node.until,
        deliver=str(node.deliver),
        tell=list(node.tell),
        escalate_after=node.escalate_after or None,
        advice=_prose(node.advice),
        source=_prose(node.source),
    )
