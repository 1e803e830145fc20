"""The parts of a plan and their fields, whatever form the file has that says them."""

import re

from practices.accounts.roles import Owner
from practices.plans.rules import (
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
    SeatNode,
    System,
    TaskNode,
    Unit,
)

from .fields import MAX_NUMBER, SOME, Fields

FORMAT = "1"
ROLES = tuple(Owner.values)

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ANCHOR = re.compile(r"[A-Z][A-Z0-9_]{0,19}")
CODE = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{1,4}")


def plan(fields: Fields) -> PlanTree:
    """A whole plan."""
    fields.fixed("format", FORMAT)
    return fields.done(
        PlanTree(
            slug=fields.word("slug", SLUG, "nhs-full-migration", needed=True, limit=60),
            title=fields.line("title", needed=True),
            summary=fields.prose("summary"),
            source=fields.prose("source"),
            key_dates=fields.list_of("key_dates", _key_date, needed=True, most=SOME),
            phases=fields.list_of("phases", _phase, needed=True, most=SOME),
            gates=fields.list_of("gates", _gate, most=SOME),
            clocks=fields.list_of("clocks", _clock, most=SOME),
            reminders=fields.list_of("reminders", _reminder, most=SOME),
            conditions=fields.list_of("conditions", _condition, most=SOME),
        )
    )


def _key_date(fields: Fields) -> KeyDateNode:
    key = fields.word("key", ANCHOR, "FDP", needed=True)
    offset, unit = None, ""
    counted = fields.nested("offset")
    if counted:
        counted.choice("from", ("GL",), needed=True)
        offset = counted.number("by", low=-MAX_NUMBER, needed=True)
        unit = counted.choice("unit", (Unit.DAYS, Unit.HOURS), needed=True)
        counted.done(None)
    return fields.done(
        KeyDateNode(
            key=key,
            title=fields.line("title", needed=True, limit=100),
            precision=fields.choice("precision", Precision.values, needed=True),
            offset=offset,
            unit=unit,
            same_as=fields.word("same_as", ANCHOR, "GL"),
            clock=fields.word("clock", KEY, "old_system_access"),
            source=fields.line("source", limit=300),
        )
    )


def _phase(fields: Fields) -> PhaseNode:
    return fields.done(
        PhaseNode(
            key=fields.word("key", KEY, "kick_off", needed=True),
            title=fields.line("title", needed=True),
            duration=fields.line("duration"),
            source=fields.line("source", limit=300),
            tasks=fields.list_of("tasks", _task, needed=True),
        )
    )


def _task(fields: Fields) -> TaskNode:
    anchor, offset, unit = "", 0, ""
    counted = fields.nested("due", needed=True)
    if counted:
        anchor = counted.word("from", ANCHOR, "GL", needed=True)
        offset = counted.number("by", low=-MAX_NUMBER, needed=True) or 0
        unit = counted.choice("unit", Unit.values, needed=True)
        counted.done(None)
    gate, seat = "", ""
    signs = fields.nested("signs")
    if signs:
        gate = signs.word("gate", KEY, "go_live_data", needed=True)
        seat = signs.word("seat", KEY, "practice", needed=True)
        signs.done(None)
    return fields.done(
        TaskNode(
            code=fields.word("code", CODE, "CUT-16", needed=True, limit=20),
            title=fields.line("title", needed=True, limit=250),
            guidance=fields.prose("guidance"),
            lesson=fields.prose("lesson"),
            owner=fields.choice("owner", ROLES, needed=True),
            helps=fields.words("helps", ROLES),
            anchor=anchor,
            offset=offset,
            unit=unit,
            basis=fields.choice("basis", Basis.values, needed=True),
            mandatory=fields.flag("mandatory", default=True),
            condition=fields.line("condition", limit=200),
            evidence=fields.line("evidence", limit=200),
            records=fields.word("records", ANCHOR, "GL"),
            gate=gate,
            seat=seat,
            source=fields.line("source", limit=300),
            applies_if=fields.words("applies_if"),
            after=fields.list_of("after", _after, most=SOME),
        )
    )


def _after(fields: Fields) -> AfterNode:
    return fields.done(
        AfterNode(
            task=fields.word("task", CODE, "CUT-16", needed=True),
            lag=fields.number("lag", low=0) or 0,
            unit=fields.choice("unit", Unit.values) or Unit.DAYS,
        )
    )


def _condition(fields: Fields) -> ConditionNode:
    system, named = "", ""
    known = fields.nested("known_from")
    if known:
        system = known.choice("system", System.values, needed=True)
        named = known.line("named", needed=True)
        known.done(None)
    return fields.done(
        ConditionNode(
            key=fields.word("key", KEY, "dispensing", needed=True),
            title=fields.line("title", needed=True, limit=100),
            question=fields.line("question", needed=True, limit=200),
            system=system,
            named=named,
            source=fields.line("source", limit=300),
        )
    )


def _gate(fields: Fields) -> GateNode:
    covers = fields.nested("covers")
    phases, tasks = (covers.words("phases"), covers.words("tasks")) if covers else ((), ())
    if covers:
        covers.done(None)
    return fields.done(
        GateNode(
            key=fields.word("key", KEY, "go_live_data", needed=True),
            title=fields.line("title", needed=True),
            statement=fields.prose("statement", needed=True),
            seats=fields.list_of("seats", _seat, needed=True),
            different_people=fields.flag("different_people", default=True),
            cover_phases=phases,
            cover_tasks=tasks,
            blocks=fields.words("blocks"),
            confirm_to=fields.choice("confirm_to", ROLES),
            condition=fields.line("condition", limit=200),
            source=fields.line("source", limit=300),
        )
    )


def _seat(fields: Fields) -> SeatNode:
    return fields.done(
        SeatNode(
            key=fields.word("key", KEY, "lead_gp", needed=True),
            title=fields.line("title", needed=True),
            roles=fields.words("roles", ROLES),
        )
    )


def _clock(fields: Fields) -> ClockNode:
    return fields.done(
        ClockNode(
            key=fields.word("key", KEY, "cut_over", needed=True),
            title=fields.line("title", needed=True, limit=100),
            enabled=fields.flag("enabled", default=True),
            starts=fields.line("starts", needed=True, limit=50),
            stops=fields.line("stops", needed=True, limit=30),
            limit=fields.number("limit", low=1, needed=True) or 1,
            unit=fields.choice("unit", Unit.values, needed=True),
            warn_after=fields.numbers("warn_after", low=1),
            warn_before=fields.numbers("warn_before", low=0),
            repeat_every=fields.number("repeat_every", low=1) or 0,
            tell=fields.words("tell", ROLES),
            source=fields.line("source", limit=300),
        )
    )


def _reminder(fields: Fields) -> ReminderNode:
    anchor, offsets, unit = "", tuple[int, ...](), ""
    counted = fields.nested("when", needed=True)
    if counted:
        anchor = counted.line("from", needed=True, limit=50)
        offsets = counted.numbers("by", low=-MAX_NUMBER)
        unit = counted.choice("unit", Unit.values, needed=True)
        counted.done(None)
    return fields.done(
        ReminderNode(
            key=fields.word("key", KEY, "links_off", needed=True),
            title=fields.line("title", needed=True, limit=100),
            enabled=fields.flag("enabled", default=True),
            anchor=anchor,
            offsets=offsets,
            unit=unit,
            repeat_every=fields.number("repeat_every", low=1) or 0,
            until=fields.line("until", limit=30),
            deliver=fields.choice("deliver", Delivery.values) or Delivery.WORKING_MORNING,
            tell=fields.words("tell", ROLES),
            escalate_after=fields.number("escalate_after", low=1) or 0,
            advice=fields.line("advice", limit=300),
            source=fields.line("source", limit=300),
        )
    )
