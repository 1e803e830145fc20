"""YAML nodes to a checked plan tree, with every fault found, not only the first."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

from practices.accounts.roles import Owner
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
    Precision,
    ReminderNode,
    SeatNode,
    System,
    TaskNode,
    Unit,
    check,
)

from .document import (
    FileProblem,
    Mapping,
    Node,
    Path,
    PlanFileError,
    Scalar,
    Sequence,
    locate,
    parse,
)

MAX_BYTES = 2_000_000
FORMAT = "1"
# Positions and offsets are small integers in the database.
MAX_NUMBER = 3_000
LINE, PROSE = 150, 5_000
# Lists of parts: more is no plan. Parts that refer to each other are followed one by one.
MANY, SOME = 1_000, 100
ROLES = tuple(Owner.values)

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ANCHOR = re.compile(r"[A-Z][A-Z0-9_]{0,19}")
CODE = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{1,4}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

T = TypeVar("T")


def read_plan(content: bytes | str, *, file: str) -> PlanTree:
    """The plan that a YAML file says.

    ``file`` is the name used in messages. Raises PlanFileError, which lists each
    fault with its line and field.
    """
    root, problems = parse(_text(content, file), file=file)
    reader = _Fields(root, (), root, problems)
    tree = _plan(reader)
    if not problems:
        for fault in check(tree):
            line, name = locate(root, fault.path)
            problems.append(FileProblem(line, name, fault.message))
    if problems:
        raise PlanFileError(problems, file=file)
    return tree


def _text(content: bytes | str, file: str) -> str:
    """The file as text, or one sentence saying why it is none."""

    def refuse(line: int, message: str) -> PlanFileError:
        return PlanFileError([FileProblem(line, "", message)], file=file)

    size = len(content) if isinstance(content, bytes) else len(content.encode(errors="replace"))
    if size > MAX_BYTES:
        raise refuse(1, "A plan may be at most 2 MB; this is larger, so it is probably not a plan.")
    if isinstance(content, str):
        text = content
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            message = "This is not UTF-8 text: save the plan as a UTF-8 text file."
            raise refuse(line, message) from error
    odd = CONTROL.search(text)
    if odd:
        line = text[: odd.start()].count("\n") + 1
        raise refuse(line, f"There is a character that is no text here (U+{ord(odd[0]):04X}).")
    return text


class _Fields:
    """The fields of one mapping, each asked for once by name and kind."""

    def __init__(self, node: Node, path: Path, root: Node, problems: list[FileProblem]) -> None:
        self.node, self.path, self.root, self.problems = node, path, root, problems
        self.asked: set[str] = set()
        self.is_mapping = isinstance(node, Mapping)
        if not self.is_mapping:
            self.report((), "Write fields here, each as 'name: value' on a line of its own.")

    def report(self, path: Path, message: str) -> None:
        line, name = locate(self.root, (*self.path, *path))
        self.problems.append(FileProblem(line, name, message))

    def get(self, name: str, *, needed: bool = False) -> Node | None:
        """The field's node; None when it is absent or nothing is written."""
        self.asked.add(name)
        node = self.node.entries.get(name) if isinstance(self.node, Mapping) else None
        if node is None or (isinstance(node, Scalar) and node.is_empty):
            if needed and self.is_mapping:
                self.report((name,), "This field is needed: it is missing or empty.")
            return None
        return node

    def scalar(self, name: str, *, needed: bool = False) -> Scalar | None:
        node = self.get(name, needed=needed)
        if node is None or isinstance(node, Scalar):
            return node
        self.report((name,), "Write one value here, not a list or fields.")
        return None

    def prose(self, name: str, *, needed: bool = False, limit: int = PROSE) -> str:
        """Text of several lines."""
        node = self.scalar(name, needed=needed)
        text = clean_text(node.text) if node else ""
        if node and needed and not text:
            self.report((name,), "This field is needed: it is missing or empty.")
        if len(text) > limit:
            self.report((name,), f"Use at most {limit} characters; this has {len(text)}.")
        return text

    def line(self, name: str, *, needed: bool = False, limit: int = LINE) -> str:
        """Text of one line."""
        text = self.prose(name, needed=needed, limit=limit)
        if "\n" in text:
            self.report((name,), "Write this on one line.")
        return text

    def word(self, name: str, shape: re.Pattern[str], example: str, *, needed: bool = False) -> str:
        """An identifier of a given shape."""
        node = self.scalar(name, needed=needed)
        if node and not shape.fullmatch(node.text):
            self.report(
                (name,), f"{node.text!r} is no name that fits here; write one like {example}."
            )
        return node.text if node else ""

    def choice(self, name: str, among: Iterable[str], *, needed: bool = False) -> str:
        node = self.scalar(name, needed=needed)
        return self.one_of(node, (name,), tuple(among)) if node else ""

    def one_of(self, node: Scalar, path: Path, among: tuple[str, ...]) -> str:
        if node.text not in among:
            self.report(path, f"“{node.text}” is not known. {_suggest(node.text, among)}")
        return node.text

    def flag(self, name: str, *, default: bool) -> bool:
        node = self.scalar(name)
        if node and node.text not in ("true", "false"):
            self.report((name,), f"Write true or false, not “{node.text}”.")
        return node.text == "true" if node else default

    def number(self, name: str, *, low: int, needed: bool = False) -> int | None:
        node = self.scalar(name, needed=needed)
        return self.whole(node, (name,), low) if node else None

    def whole(self, node: Node, path: Path, low: int) -> int:
        text = node.text if isinstance(node, Scalar) else "a list"
        if not re.fullmatch(r"[+-]?\d{1,6}", text) or not low <= int(text) <= MAX_NUMBER:
            self.report(path, f"Write a whole number from {low} to {MAX_NUMBER}, not “{text}”.")
            return max(low, 0)
        return int(text)

    def each(
        self, name: str, read: Callable[[Node, Path], T | None], *, most: int = MANY
    ) -> tuple[T, ...]:
        """Every item of a list field."""
        node = self.get(name)
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self.report((name,), "Write a list here: [one, two], or each on a line after '- '.")
            return ()
        if len(node.items) > most:
            self.report((name,), f"Give at most {most} here; there are {len(node.items)}.")
            return ()
        found = (read(item, (name, index)) for index, item in enumerate(node.items))
        return tuple(item for item in found if item is not None)

    def words(self, name: str, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of identifiers, of those ``among`` when given."""

        def read(node: Node, path: Path) -> str | None:
            if not isinstance(node, Scalar) or node.is_empty:
                self.report(path, "Write one word here.")
                return None
            return self.one_of(node, path, among) if among else node.text

        return self.each(name, read)

    def numbers(self, name: str, *, low: int) -> tuple[int, ...]:
        return self.each(name, lambda node, path: self.whole(node, path, low))

    def nested(self, name: str, *, needed: bool = False) -> "_Fields | None":
        node = self.get(name, needed=needed)
        if node is None:
            return None
        return _Fields(node, (*self.path, name), self.root, self.problems)

    def list_of(
        self, name: str, read: Callable[["_Fields"], T], *, needed: bool = False, most: int = MANY
    ) -> tuple[T, ...]:
        """A list of mappings, each read by ``read``."""
        self.get(name, needed=needed)
        return self.each(
            name,
            lambda node, path: read(_Fields(node, (*self.path, *path), self.root, self.problems)),
            most=most,
        )

    def done(self, made: T) -> T:
        """``made``, after refusing every field that nobody asked for."""
        if isinstance(self.node, Mapping):
            for name in self.node.entries:
                if name not in self.asked:
                    known = _suggest(name, tuple(sorted(self.asked)))
                    self.report((name,), f"There is no field of this name here. {known}")
        return made


def _suggest(text: str, among: tuple[str, ...]) -> str:
    near = get_close_matches(text, among, n=1)
    return f"Did you mean “{near[0]}”?" if near else f"Write one of {', '.join(among)}."


def _plan(fields: _Fields) -> PlanTree:
    version = fields.scalar("format", needed=True)
    if version and version.text != FORMAT:
        fields.report(
            ("format",), f"This program reads plans of format {FORMAT}, not “{version.text}”."
        )
    return fields.done(
        PlanTree(
            slug=fields.word("slug", SLUG, "nhs-full-migration", needed=True)[:60],
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


def _key_date(fields: _Fields) -> KeyDateNode:
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


def _phase(fields: _Fields) -> PhaseNode:
    return fields.done(
        PhaseNode(
            key=fields.word("key", KEY, "kick_off", needed=True),
            title=fields.line("title", needed=True),
            duration=fields.line("duration"),
            source=fields.line("source", limit=300),
            tasks=fields.list_of("tasks", _task, needed=True),
        )
    )


def _task(fields: _Fields) -> TaskNode:
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
            code=fields.word("code", CODE, "CUT-16", needed=True)[:20],
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


def _after(fields: _Fields) -> AfterNode:
    return fields.done(
        AfterNode(
            task=fields.word("task", CODE, "CUT-16", needed=True),
            lag=fields.number("lag", low=0) or 0,
            unit=fields.choice("unit", Unit.values) or Unit.DAYS,
        )
    )


def _condition(fields: _Fields) -> ConditionNode:
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


def _gate(fields: _Fields) -> GateNode:
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


def _seat(fields: _Fields) -> SeatNode:
    return fields.done(
        SeatNode(
            key=fields.word("key", KEY, "lead_gp", needed=True),
            title=fields.line("title", needed=True),
            roles=fields.words("roles", ROLES),
        )
    )


def _clock(fields: _Fields) -> ClockNode:
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


def _reminder(fields: _Fields) -> ReminderNode:
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
