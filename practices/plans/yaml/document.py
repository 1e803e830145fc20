"""YAML text to plain nodes that know their place, without ever building an object.

Only mappings, lists and scalars pass. Tags, anchors and aliases are refused, so
nothing can be constructed and nothing can grow (the "billion laughs" needs
aliases). Scalars stay text: the reader decides by field, so ``No`` in a title
is the word no.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from practices.common.patient_data import holds_nhs_number

from .nodes import FileProblem, Mapping, Node, Place, PlanFileError, Scalar, Sequence

MAX_DEPTH = 10
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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
        place = _line(mark)
        raise PlanFileError([*problems, FileProblem(place, "", message)], file=file) from error
    except _TooDeepError as error:
        message = f"Lists and fields are nested more than {MAX_DEPTH} deep here."
        raise PlanFileError([FileProblem(error.place, "", message)], file=file) from error
    if root is None:
        raise PlanFileError([FileProblem(Place(line=1), "", "The file is empty.")], file=file)
    return root, problems


class _TooDeepError(Exception):
    def __init__(self, place: Place) -> None:
        self.place = place


def _line(mark: Any) -> Place:
    return Place(line=mark.line + 1 if mark else 1)


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
            place = _line(event.start_mark)
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents == 2:
                    self.report(place, "Only one plan fits in a file: remove '---'.")
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self.open.pop()
            elif isinstance(event, yaml.NodeEvent):
                self.add(event, place)
        return self.root

    def report(self, place: Place, message: str, field: str = "") -> None:
        self.problems.append(FileProblem(place, field, message))

    def add(self, event: yaml.NodeEvent, place: Place) -> None:
        self.refuse_tricks(event, place)
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(place)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Mapping(place)
        elif isinstance(event, yaml.ScalarEvent):
            node = Scalar(place, event.value, plain=not event.style)
            if holds_nhs_number(event.value):
                self.report(place, "This could be an NHS number: a plan holds nothing of patients.")
        else:
            node = Scalar(place, "", plain=True)
        if self.open:
            self.hang(*self.open[-1], node)
        elif self.documents == 1:
            self.root = node
        if isinstance(node, Sequence | Mapping):
            if len(self.open) >= MAX_DEPTH:
                raise _TooDeepError(place)
            self.open.append((node, []))

    def refuse_tricks(self, event: yaml.NodeEvent, place: Place) -> None:
        tag = getattr(event, "tag", None)
        alias = isinstance(event, yaml.AliasEvent)
        tricks = {
            "aliases": f"*{event.anchor}" if alias else "",
            "anchors": f"&{event.anchor}" if event.anchor and not alias else "",
            "tags": str(tag) if tag else "",
        }
        for kind, what in tricks.items():
            if what:
                self.report(place, f"YAML {kind} such as {what} are not allowed: write it out.")

    def hang(self, parent: Sequence | Mapping, waiting: list[Scalar], node: Node) -> None:
        """Put a node into its parent; in a mapping every other node is a key."""
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif waiting:
            key = waiting.pop()
            if key.text in parent.entries:
                before = parent.key_places[key.text]
                message = f"This field is given twice, first in {before}: keep one."
                self.report(key.place, message, key.text)
            else:
                parent.entries[key.text] = node
                parent.key_places[key.text] = key.place
        elif isinstance(node, Scalar):
            waiting.append(node)
        else:
            self.report(node.place, "A field's name must be a word.")
            # Stands in for the name, so that its value finds its place.
            waiting.append(Scalar(node.place, f"({node.place})", plain=True))
