"""What a plan file holds, whatever its form: values, lists and fields that know their place."""

import re
from dataclasses import dataclass, field

MAX_PROBLEMS = 100
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: in a line of a text, or in a cell of a sheet.

    ``nth`` is the position of the sheet in its workbook; a sheet as a whole has no line, and
    the file as a whole no sheet either.
    """

    nth: int = 0
    line: int = 0
    column: int = 0
    sheet: str = ""

    def __str__(self) -> str:
        if not self.sheet:
            return f"line {self.line}" if self.line else "the whole file"
        if not self.line:
            return f"sheet {self.sheet}"
        return f"sheet {self.sheet}, cell {letters(self.column)}{self.line}"


def letters(column: int) -> str:
    """What a spreadsheet calls its first column, A, its 27th, AA, and so on."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def no_text(odd: re.Match[str]) -> str:
    """What is said of a character that CONTROL finds."""
    return f"There is a character that is no text here (U+{ord(odd[0]):04X})."


@dataclass(frozen=True)
class FileProblem:
    """One fault of a file: where it is, and in one sentence what to do."""

    place: Place
    field: str
    message: str

    def __str__(self) -> str:
        # The cell of a sheet says all; a line may hold several fields.
        in_line = f", {self.field}" if self.field and not self.place.sheet else ""
        return f"{self.place}{in_line}: {self.message}"


class PlanFileError(ValueError):
    """A plan file that cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: list[FileProblem], *, file: str) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda problem: problem.place)[:MAX_PROBLEMS]
        self.left_out = max(0, len(problems) - MAX_PROBLEMS)
        lines = [f"{file}, {problem}" for problem in self.problems]
        if self.left_out:
            lines.append(f"{file}: and {self.left_out} more.")
        super().__init__("\n".join(lines))


@dataclass
class Scalar:
    place: Place
    text: str
    plain: bool

    @property
    def is_empty(self) -> bool:
        """Nothing written, or YAML's ways of writing nothing."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass
class Sequence:
    place: Place
    items: list["Node"] = field(default_factory=list)


@dataclass
class Mapping:
    place: Place
    entries: dict[str, "Node"] = field(default_factory=dict)
    key_places: dict[str, Place] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


def named(node: Node, index: int) -> str:
    """What a person calls a list item: its key or code, else its number."""
    if isinstance(node, Mapping):
        for name in ("code", "key"):
            value = node.entries.get(name)
            if isinstance(value, Scalar) and value.text:
                return value.text
    return str(index + 1)


def locate(root: Node, path: Path) -> tuple[Place, str]:
    """The place of a field and its name in words: ``phases.ordering.tasks.ORD-03.owner``.

    A field that is not written is located at what it is missing from.
    """
    node, place, names = root, root.place, []
    for step in path:
        names.append(str(step) if isinstance(step, str) else str(step + 1))
        if isinstance(step, str) and isinstance(node, Mapping) and step in node.entries:
            place, node = node.key_places[step], node.entries[step]
        elif isinstance(step, int) and isinstance(node, Sequence) and step < len(node.items):
            node = node.items[step]
            place, names[-1] = node.place, named(node, step)
    return place, ".".join(names)
