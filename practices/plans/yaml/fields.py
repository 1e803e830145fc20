"""The fields of a plan file, each asked for by name and kind, with every fault reported."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

from practices.common.services import clean_text

from .nodes import FileProblem, Mapping, Node, Path, Scalar, Sequence, locate

# Positions and offsets are small integers in the database.
MAX_NUMBER = 3_000
LINE, PROSE = 150, 5_000
# Lists of parts: more is no plan. Parts that refer to each other are followed one by one.
MANY, SOME = 1_000, 100

T = TypeVar("T")


class Fields:
    """The fields of one mapping, each asked for once by name and kind."""

    def __init__(self, node: Node, path: Path, root: Node, problems: list[FileProblem]) -> None:
        self.node, self.path, self.root, self.problems = node, path, root, problems
        self.asked: set[str] = set()
        self.is_mapping = isinstance(node, Mapping)
        if not self.is_mapping:
            self.report((), "Write fields here, each as 'name: value' on a line of its own.")

    def report(self, path: Path, message: str) -> None:
        place, name = locate(self.root, (*self.path, *path))
        self.problems.append(FileProblem(place, name, message))

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

    def fixed(self, name: str, value: str) -> None:
        """A field that must say ``value``."""
        node = self.scalar(name, needed=True)
        if node and node.text != value:
            self.report((name,), f"This program reads {name} {value}, not “{node.text}”.")

    def prose(self, name: str, *, needed: bool = False, limit: int = PROSE) -> str:
        """Text of several lines."""
        node = self.scalar(name, needed=needed)
        text = clean_text(node.text) if node else ""
        if node and needed and not text:
            self.report((name,), "This field is needed: it is missing or empty.")
        if len(text) > limit:
            self.too_long(name, text, limit)
        return text

    def too_long(self, name: str, text: str, limit: int) -> None:
        self.report((name,), f"Use at most {limit} characters; this has {len(text)}.")

    def line(self, name: str, *, needed: bool = False, limit: int = LINE) -> str:
        """Text of one line."""
        text = self.prose(name, needed=needed, limit=limit)
        if "\n" in text:
            self.report((name,), "Write this on one line.")
        return text

    def word(
        self,
        name: str,
        shape: re.Pattern[str],
        example: str,
        *,
        needed: bool = False,
        limit: int | None = None,
    ) -> str:
        """An identifier of a given shape; ``limit`` where the shape lets it be of any length."""
        node = self.scalar(name, needed=needed)
        if node and limit and len(node.text) > limit:
            self.too_long(name, node.text, limit)
            return ""
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

    def nested(self, name: str, *, needed: bool = False) -> "Fields | None":
        node = self.get(name, needed=needed)
        if node is None:
            return None
        return Fields(node, (*self.path, name), self.root, self.problems)

    def list_of(
        self, name: str, read: Callable[["Fields"], T], *, needed: bool = False, most: int = MANY
    ) -> tuple[T, ...]:
        """A list of mappings, each read by ``read``."""
        self.get(name, needed=needed)
        return self.each(
            name,
            lambda node, path: read(Fields(node, (*self.path, *path), self.root, self.problems)),
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
