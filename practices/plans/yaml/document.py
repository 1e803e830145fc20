"""YAML text to plain nodes that know their line, without ever building an object.

Only mappings, lists and scalars pass. Tags, anchors and aliases are refused, so
nothing can be constructed and nothing can grow (the "billion laughs" needs
aliases). Scalars stay text: the reader decides by field, so ``No`` in a title
is the word no.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from practices.common.patient_data import holds_nhs_number

MAX_DEPTH = 10
MAX_PROBLEMS = 100
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]

# What the parser says, and what a person can do about it.
HINTS = {
    "mapping values are not allowed": "Put text that holds a colon in quotation marks.",
    "that cannot start any token": "Indent with spaces, not tabs; quote text that starts with @, ` or %.",  # noqa: E501
    "tab character": "Indent with spaces, not tabs.",
    "found unexpected end of stream": "A quotation mark is not closed.",
    "did not find expected key": "Check the indentation of this line and the one above.",
    "could not find expected ':'": "Check the indentation of this line and the one above.",
    "expected <block end>": "Check the indentation of this line and the one above.",
    "did not find expected '-' indicator": "Check the indentation of this list.",
}


@dataclass(frozen=True)
class FileProblem:
    """One fault of a file: where it is, and in one sentence what to do."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{where}: {self.message}"


class PlanFileError(ValueError):
    """A plan file that cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: list[FileProblem], *, file: str) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda problem: problem.line)[:MAX_PROBLEMS]
        self.left_out = max(0, len(problems) - MAX_PROBLEMS)
        lines = [f"{file}, {problem}" for problem in self.problems]
        if self.left_out:
            lines.append(f"{file}: and {self.left_out} more.")
        super().__init__("\n".join(lines))


@dataclass
class Scalar:
    line: int
    text: str
    plain: bool

    @property
    def is_empty(self) -> bool:
        """Nothing written, or YAML's ways of writing nothing."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass
class Sequence:
    line: int
    items: list["Node"] = field(default_factory=list)


@dataclass
class Mapping:
    line: int
    entries: dict[str, "Node"] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


def named(node: Node, index: int) -> str:
    """What a person calls a list item: its key or code, else its number."""
    if isinstance(node, Mapping):
        for name in ("code", "key"):
            value = node.entries.get(name)
            if isinstance(value, Scalar) and value.text:
                return value.text
    return str(index + 1)


def locate(root: Node, path: Path) -> tuple[int, str]:
    """The line of a field and its name in words: ``phases.ordering.tasks.ORD-03.owner``.

    A field that is not written is located at what it is missing from.
    """
    node, line, names = root, root.line, []
    for step in path:
        names.append(str(step) if isinstance(step, str) else str(step + 1))
        if isinstance(step, str) and isinstance(node, Mapping) and step in node.entries:
            line, node = node.key_lines[step], node.entries[step]
        elif isinstance(step, int) and isinstance(node, Sequence) and step < len(node.items):
            node = node.items[step]
            line, names[-1] = node.line, named(node, step)
    return line, ".".join(names)


def parse(text: str, *, file: str) -> tuple[Node, list[FileProblem]]:
    """The nodes of the one document in ``text``, and what it may not hold.

    Raises PlanFileError when it is not YAML at all.
    """
    problems: list[FileProblem] = []
    try:
        root = _Builder(problems).build(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = f"{error.problem or error.context}"
        hint = next((hint for words, hint in HINTS.items() if words in said), "")
        message = f"This is not well-formed YAML: {said}. {hint}".rstrip()
        line = mark.line + 1 if mark else 1
        raise PlanFileError([*problems, FileProblem(line, "", message)], file=file) from error
    except _TooDeepError as error:
        message = f"Lists and fields are nested more than {MAX_DEPTH} deep here."
        raise PlanFileError([FileProblem(error.line, "", message)], file=file) from error
    if root is None:
        raise PlanFileError([FileProblem(1, "", "The file is empty.")], file=file)
    return root, problems


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


class _Builder:
    """Hangs each event's node into the collection that is open."""

    def __init__(self, problems: list[FileProblem]) -> None:
        self.problems = problems
        self.root: Node | None = None
        self.documents = 0
        # Each open collection, with the key that waits for its value when it is a mapping.
        self.open: list[tuple[Sequence | Mapping, list[Scalar]]] = []

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents == 2:
                    self.report(line, "Only one plan fits in a file: remove '---'.")
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self.open.pop()
            elif isinstance(event, yaml.NodeEvent):
                self.add(event, line)
        return self.root

    def report(self, line: int, message: str, field: str = "") -> None:
        self.problems.append(FileProblem(line, field, message))

    def add(self, event: yaml.NodeEvent, line: int) -> None:
        self.refuse_tricks(event, line)
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(line)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Mapping(line)
        elif isinstance(event, yaml.ScalarEvent):
            node = Scalar(line, event.value, plain=not event.style)
            if holds_nhs_number(event.value):
                self.report(line, "This could be an NHS number: a plan holds nothing of patients.")
        else:
            node = Scalar(line, "", plain=True)
        if self.open:
            self.hang(*self.open[-1], node)
        elif self.documents == 1:
            self.root = node
        if isinstance(node, Sequence | Mapping):
            if len(self.open) >= MAX_DEPTH:
                raise _TooDeepError(line)
            self.open.append((node, []))

    def refuse_tricks(self, event: yaml.NodeEvent, line: int) -> None:
        tag = getattr(event, "tag", None)
        alias = isinstance(event, yaml.AliasEvent)
        tricks = {
            "aliases": f"*{event.anchor}" if alias else "",
            "anchors": f"&{event.anchor}" if event.anchor and not alias else "",
            "tags": str(tag) if tag else "",
        }
        for kind, what in tricks.items():
            if what:
                self.report(line, f"YAML {kind} such as {what} are not allowed: write it out.")

    def hang(self, parent: Sequence | Mapping, waiting: list[Scalar], node: Node) -> None:
        """Put a node into its parent; in a mapping every other node is a key."""
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif waiting:
            key = waiting.pop()
            if key.text in parent.entries:
                before = parent.key_lines[key.text]
                message = f"This field is given twice, first in line {before}: keep one."
                self.report(key.line, message, key.text)
            else:
                parent.entries[key.text] = node
                parent.key_lines[key.text] = key.line
        elif isinstance(node, Scalar):
            waiting.append(node)
        else:
            self.report(node.line, "A field's name must be a word.")
            # Stands in for the name, so that its value finds its place.
            waiting.append(Scalar(node.line, f"(line {node.line})", plain=True))
