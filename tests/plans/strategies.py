"""Whole valid plans, drawn at random: every kind of part, every field, links between them."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from practices.accounts.roles import Owner
from practices.common.patient_data import holds_nhs_number
from practices.common.services import clean_text
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
    ReminderNode,
    SeatNode,
    System,
    TaskNode,
    Unit,
    check,
)

SIGNERS = ["practice_manager", "lead_gp", "project_manager", "trainer", "commissioner"]
TOLD = ["practice_manager", "lead_gp", "project_manager"]
# Letters of every kind, and what YAML, spreadsheets and Markdown read something into.
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"])
TRICKS = [
    *("No", "null", "~", "45", "1e3", "2027-02-06", "=1+1", "+1", "-", "@x", "#N/A", "# a", "a: b"),
    *("_x000D_", "yes", "TRUE", "- one", "'", '"', "a, b; c", "<b>", "&amp;", "%", "|", "> x"),
]


def lines(most: int) -> st.SearchStrategy[str]:
    """Texts of one line that say something."""
    words = st.text(LETTERS, min_size=1, max_size=most) | st.sampled_from(TRICKS)
    return (
        words.map(lambda text: clean_text(" ".join(text.split()))[:most].strip())
        .map(clean_text)
        .filter(lambda text: text and len(text.split("\n")) == 1 and not holds_nhs_number(text))
    )


LINE = lines(40)
MAYBE = st.just("") | LINE
SAID = st.tuples(LINE, st.lists(lines(120) | st.just(""), max_size=3)).map(
    lambda parts: clean_text("\n".join([parts[0], *parts[1]]))
)
PROSE = st.just("") | SAID
SMALL_NUMBERS = st.integers(2, 40)
DAYS = st.sampled_from([Unit.DAYS.value, Unit.WORKING_DAYS.value])


def some(of: list[str], most: int = 3, least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of some names, each once."""
    if not of:
        return st.just(())
    return st.lists(st.sampled_from(of), min_size=least, max_size=most, unique=True).map(tuple)


@st.composite
def plans(draw: st.DrawFn) -> PlanTree:
    """A plan that has no fault."""
    conditions = draw(_conditions())
    key_dates = draw(_key_dates())
    anchors = [node.key for node in key_dates]
    timed = [node.key for node in key_dates if node.precision == "minute"]
    asked = [node.key for node in conditions]
    phases = draw(_phases(anchors, timed, asked))
    codes = [task.code for phase in phases for task in phase.tasks]
    gates = draw(_gates([phase.key for phase in phases], codes, anchors))
    tree = PlanTree(
        slug="any-plan",
        title=draw(LINE),
        summary=draw(PROSE),
        source=draw(PROSE),
        key_dates=key_dates,
        phases=(*phases, draw(_last_phase(gates, key_dates, asked))),
        gates=gates,
        clocks=draw(_clocks(codes, key_dates)),
        reminders=draw(_reminders(anchors, codes)),
        conditions=conditions,
    )
    assume(not check(tree))
    return tree


@st.composite
def _conditions(draw: st.DrawFn) -> tuple[ConditionNode, ...]:
    def known() -> dict[str, str]:
        return {"system": draw(st.sampled_from(System.values)), "named": draw(LINE)}

    return tuple(
        ConditionNode(
            key=f"condition_{number}",
            title=draw(LINE),
            question=draw(LINE),
            source=draw(MAYBE),
            **(known() if draw(st.booleans()) else {}),
        )
        for number in range(draw(st.integers(0, 2)))
    )


@st.composite
def _key_dates(draw: st.DrawFn) -> tuple[KeyDateNode, ...]:
    more: list[KeyDateNode] = []
    for number in range(draw(st.integers(0, 3))):
        counted = draw(_counted(more))
        more.append(KeyDateNode(f"DAY_{number}", draw(LINE), source=draw(MAYBE), **counted))
    days = [node.key for node in more if node.precision == "day"]
    ends: list[dict[str, Any]] = [{"precision": "day", "clock": "access"}] * 2
    ends.append({"precision": "day", "offset": draw(st.integers(1, 200)), "unit": "days"})
    ends.append({"precision": "minute", "offset": draw(st.integers(1, 900)), "unit": "hours"})
    ends += [{"precision": "day", "same_as": key} for key in days]
    dates = (
        KeyDateNode(
            "FDP",
            draw(LINE),
            "minute",
            offset=-draw(SMALL_NUMBERS),
            unit=draw(st.sampled_from(["hours", "days"])),
        ),
        *more,
        KeyDateNode("GL", draw(LINE), "minute"),
        KeyDateNode("EOA", draw(LINE), **draw(st.sampled_from(ends))),
    )
    return tuple(draw(st.permutations(dates)))


def _counted(before: list[KeyDateNode]) -> st.SearchStrategy[dict[str, object]]:
    """How a date is found: so far from go-live, or as another name of a date."""
    offsets = st.integers(-100, 30)
    named = [("FDP", "minute"), ("GL", "minute"), *((one.key, one.precision) for one in before)]
    return st.one_of(
        st.builds(lambda by: {"precision": "day", "offset": by, "unit": "days"}, offsets),
        st.builds(lambda by: {"precision": "minute", "offset": by, "unit": "hours"}, offsets),
        st.sampled_from(named).map(lambda one: {"same_as": one[0], "precision": one[1]}),
    )


@st.composite
def _phases(
    draw: st.DrawFn, anchors: list[str], timed: list[str], conditions: list[str]
) -> tuple[PhaseNode, ...]:
    phases, codes = [], []
    for number in range(draw(st.integers(1, 3))):
        tasks = []
        for _ in range(draw(st.integers(1, 3))):
            code = f"T{number}-{len(codes) + 1:02}"
            tasks.append(draw(_task(code, anchors, timed, codes, conditions)))
            codes.append(code)
        phases.append(
            PhaseNode(
                key=f"phase_{number}",
                title=draw(LINE),
                tasks=tuple(tasks),
                duration=draw(MAYBE),
                source=draw(MAYBE),
            )
        )
    return tuple(phases)


@st.composite
def _last_phase(
    draw: st.DrawFn,
    gates: tuple[GateNode, ...],
    key_dates: tuple[KeyDateNode, ...],
    conditions: list[str],
) -> PhaseNode:
    """A task that records each date there is, and one for each signature."""
    recorded = [
        TaskNode(
            f"REC-{nth}",
            draw(LINE),
            "all",
            node.key,
            0,
            "days",
            "source",
            records=node.key,
            applies_if=draw(some(conditions, 1)),
        )
        for nth, node in enumerate(key_dates)
        if not node.same_as
    ]
    seats = [(gate, seat) for gate in gates for seat in gate.seats]
    signed = [
        TaskNode(
            f"SIGN-{nth}",
            draw(LINE),
            draw(st.sampled_from(seat.roles)),
            "GL",
            0,
            "hours",
            "suggested",
            gate=gate.key,
            seat=seat.key,
            applies_if=draw(some(conditions, 1)),
        )
        for nth, (gate, seat) in enumerate(seats)
    ]
    at_least = TaskNode("LAST-1", draw(LINE), "all", "EOA", 0, "days", "estimate")
    return PhaseNode("last", draw(LINE), (*recorded, *signed, at_least))


@st.composite
def _task(
    draw: st.DrawFn,
    code: str,
    anchors: list[str],
    timed: list[str],
    before: list[str],
    conditions: list[str],
) -> TaskNode:
    condition = draw(MAYBE)
    anchor = draw(st.sampled_from(anchors))
    owner = draw(st.sampled_from(Owner.values))
    return TaskNode(
        code=code,
        title=draw(LINE),
        owner=owner,
        anchor=anchor,
        offset=draw(st.integers(-60, 60)),
        unit=draw(st.sampled_from(Unit.values) if anchor in timed else DAYS),
        basis=draw(st.sampled_from(Basis.values)),
        guidance=draw(PROSE),
        lesson=draw(PROSE),
        helps=draw(some([role for role in Owner.values if role != owner])),
        mandatory=not condition,
        condition=condition,
        evidence=draw(MAYBE),
        source=draw(MAYBE),
        applies_if=tuple(
            f"{draw(st.sampled_from(['', 'not:']))}{key}" for key in draw(some(conditions, 2))
        ),
        after=tuple(
            AfterNode(task, draw(st.integers(0, 9)), draw(st.sampled_from(Unit.values)))
            for task in draw(some(before, 2))
        ),
    )


@st.composite
def _gates(
    draw: st.DrawFn, phases: list[str], codes: list[str], anchors: list[str]
) -> tuple[GateNode, ...]:
    # The second may wait for the first, or the first for the second, but not both.
    links = draw(st.sampled_from([((), ()), (("gate:gate_1",), ()), ((), ("gate:gate_0",))]))
    many = draw(st.integers(0, 2))
    return tuple(
        GateNode(
            key=f"gate_{number}",
            title=draw(LINE),
            statement=draw(SAID),
            seats=tuple(
                SeatNode(f"seat_{seat}", draw(LINE), draw(some(SIGNERS, least=1)))
                for seat in range(draw(st.integers(1, 2)))
            ),
            different_people=draw(st.booleans()),
            cover_phases=draw(some(phases)),
            cover_tasks=draw(some(codes)),
            blocks=(*draw(some(["finish", *anchors], 2)), *(links[number] if many > 1 else ())),
            confirm_to=draw(st.sampled_from(["", "target_supplier"])),
            condition=draw(MAYBE),
            source=draw(MAYBE),
        )
        for number in range(many)
    )


@st.composite
def _clocks(
    draw: st.DrawFn, codes: list[str], key_dates: tuple[KeyDateNode, ...]
) -> tuple[ClockNode, ...]:
    def clock(key: str, starts: str, stops: str, unit: str) -> ClockNode:
        limit = draw(SMALL_NUMBERS)
        warnings = st.lists(st.integers(1, limit - 1), max_size=3, unique=True)
        return ClockNode(
            key=key,
            title=draw(LINE),
            starts=starts,
            stops=stops,
            limit=limit,
            unit=unit,
            enabled=draw(st.booleans()),
            warn_after=tuple(sorted(draw(warnings))),
            warn_before=tuple(sorted(draw(warnings), reverse=True)),
            repeat_every=draw(st.integers(0, 9)),
            tell=("project_manager", *draw(some(TOLD[:2]))),
            source=draw(MAYBE),
        )

    tasks = [f"task:{code}" for code in codes]
    starts = draw(st.sampled_from(["FDP", "GL", *tasks[:-1]]))
    units = st.sampled_from(Unit.values)
    clocks = [
        clock("access", "GL", "EOA", "days"),
        clock("other", starts, tasks[-1], draw(units)),
    ]
    day = next((node.key for node in key_dates if node.key.startswith("DAY_")), "")
    if day and draw(st.booleans()):
        clocks.append(clock("from_a_day", day, tasks[0], draw(DAYS)))
    if draw(st.booleans()):
        before = draw(st.sampled_from([one.key for one in clocks]))
        clocks.append(clock("after_a_breach", f"breach:{before}", tasks[-1], draw(units)))
    return tuple(clocks)


@st.composite
def _reminders(draw: st.DrawFn, anchors: list[str], codes: list[str]) -> tuple[ReminderNode, ...]:
    return tuple(
        ReminderNode(
            key=f"reminder_{number}",
            title=draw(LINE),
            anchor=draw(st.sampled_from(anchors)),
            offsets=tuple(
                sorted(draw(st.lists(st.integers(-30, 30), min_size=1, max_size=3, unique=True)))
            ),
            unit=draw(DAYS),
            tell=("practice_manager", *draw(some(TOLD[1:]))),
            advice=draw(LINE),
            enabled=draw(st.booleans()),
            until=f"task:{draw(st.sampled_from(codes))}",
            repeat_every=draw(st.integers(0, 9)),
            deliver=draw(st.sampled_from(Delivery.values)),
            escalate_after=draw(st.integers(0, 3)),
            source=draw(MAYBE),
        )
        for number in range(draw(st.integers(0, 2)))
    )
