"""What every field of a plan must be by itself: there, not too long, and a word that is known."""

import re
from collections.abc import Iterator
from typing import Any

from practices.accounts.roles import Owner

from .known import Path, Problem
from .tree import Basis, Delivery, PlanTree, Precision, System, Unit

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
ANCHOR = re.compile(r"[A-Z][A-Z0-9_]{0,19}")
CODE = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{1,4}")
KEYS = {"key_dates": ANCHOR, "tasks": CODE}

# The longest text of each field, in characters.
PROSE = {"guidance": 5_000, "lesson": 5_000, "statement": 5_000}
LINES = {"source": 300, "condition": 200, "evidence": 200, "duration": 150, "named": 150}
LINES |= {"question": 200, "advice": 300}
TITLES = {"tasks": 250, "phases": 150, "gates": 150, "seats": 150}
TITLE = 100

HIGHEST = 3_000
# The least that a number may be; those of an offset may be before something.
LEAST = {
    "offset": -HIGHEST,
    "offsets": -HIGHEST,
    "limit": 1,
    "warn_after": 1,
    "warn_before": 0,
    "repeat_every": 0,
    "escalate_after": 0,
    "lag": 0,
}
WORDS: dict[str, tuple[str, ...]] = {
    "owner": tuple(Owner.values),
    "confirm_to": ("", *Owner.values),
    "basis": tuple(Basis.values),
    "precision": tuple(Precision.values),
    "deliver": tuple(Delivery.values),
    "system": ("", *System.values),
    "helps": tuple(Owner.values),
    "tell": tuple(Owner.values),
}
UNITS = tuple(Unit.values)


def shapes(tree: PlanTree) -> Iterator[Problem]:
    """Faults of single fields, whatever the rest of the plan says."""
    if not tree.title or len(tree.title) > 150 or "\n" in tree.title:
        yield Problem(("title",), "A plan needs a title of one line and at most 150 characters.")
    for name in ("key_dates", "phases", "gates", "clocks", "reminders", "conditions"):
        for index, node in enumerate(getattr(tree, name)):
            yield from _part((name, index), name, node)
    for place, phase in enumerate(tree.phases):
        for index, task in enumerate(phase.tasks):
            path: Path = ("phases", place, "tasks", index)
            yield from _part(path, "tasks", task)
            if task.seat and not task.gate:
                yield Problem((*path, "signs"), "Name the gate of the seat that this signs.")
            for at, link in enumerate(task.after):
                yield from _numbers((*path, "after", at), link)
                yield from _unit((*path, "after", at), link, UNITS)
    for place, gate in enumerate(tree.gates):
        for index, seat in enumerate(gate.seats):
            yield from _part(("gates", place, "seats", index), "seats", seat)


def _part(path: Path, kind: str, node: Any) -> Iterator[Problem]:
    name = "code" if kind == "tasks" else "key"
    if not KEYS.get(kind, KEY).fullmatch(getattr(node, name)):
        yield Problem((*path, name), f"“{getattr(node, name)}” is no {name} that fits here.")
    if not node.title:
        yield Problem((*path, "title"), "This needs a title.")
    yield from _texts(path, kind, node)
    yield from _words(path, node)
    if kind == "key_dates":
        counted = node.offset is not None
        yield from _unit(path, node, (Unit.HOURS, Unit.DAYS) if counted else ("",))
    elif hasattr(node, "unit"):
        yield from _unit(path, node, UNITS)
    yield from _numbers(path, node)


def _texts(path: Path, kind: str, node: Any) -> Iterator[Problem]:
    lines = LINES | {"title": TITLES.get(kind, TITLE)}
    for name, limit in (lines | PROSE).items():
        text = getattr(node, name, "")
        if len(text) > limit:
            yield Problem((*path, name), f"Use at most {limit} characters; this has {len(text)}.")
        if name in lines and "\n" in text:
            yield Problem((*path, name), "Write this on one line.")


def _words(path: Path, node: Any) -> Iterator[Problem]:
    for name, known in WORDS.items():
        said = getattr(node, name, known[0])
        for word in said if isinstance(said, tuple) else (said,):
            if word not in known:
                yield Problem((*path, name), f"“{word}” is not known here.")


def _unit(path: Path, node: Any, known: tuple[str, ...]) -> Iterator[Problem]:
    if node.unit not in known:
        yield Problem((*path, "unit"), f"“{node.unit}” is no unit that can be counted in here.")


def _numbers(path: Path, node: Any) -> Iterator[Problem]:
    for name, least in LEAST.items():
        said = getattr(node, name, None)
        for number in said if isinstance(said, tuple) else (said,):
            if number is not None and not least <= number <= HIGHEST:
                message = f"Use a whole number from {least} to {HIGHEST}, not {number}."
                yield Problem((*path, name), message)
