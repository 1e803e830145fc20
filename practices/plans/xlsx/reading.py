"""A workbook to the nodes that the reader of plans takes, each with its sheet and cell."""

import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from difflib import get_close_matches
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from practices.common.patient_data import holds_nhs_number
from practices.plans.rules import PlanTree
from practices.plans.yaml import FileProblem, Place, PlanFileError
from practices.plans.yaml.nodes import CONTROL, Mapping, Node, Scalar, Sequence, no_text
from practices.plans.yaml.reading import checked

from .opening import open_workbook
from .sheets import FIELD, LISTS, PLAN, README, VALUE, Column, Kind, Sheet, plan_fields, sheets

MOST_ROWS, MOST_COLUMNS = 5_000, 200
DIVIDED = re.compile(r"[,;\n]")
LINK = re.compile(r"(\S+)(?:\s*\+\s*(\S+)\s+(\S+))?")
FLAGS = {"yes": "true", "no": "false", "true": "true", "false": "false"}

# A row of a sheet: its first place, and the cells that say something by their heading.
Row = tuple[Place, dict[str, Scalar]]


def read_workbook(content: bytes, *, file: str) -> PlanTree:
    """The plan that an Excel workbook says.

    ``file`` is the name used in messages. Raises PlanFileError, which lists each fault with
    its sheet and cell.
    """
    book, merged = open_workbook(content, file=file)
    reader = _Reader(book)
    for sheet, first, area in merged:
        reader.refuse_merged(sheet, first, area)
    root = reader.plan()
    if reader.problems:
        raise PlanFileError(reader.problems, file=file)
    return checked(root, [], file=file)


class _Reader:
    """Reads sheet by sheet, and goes on after a fault to find the others."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.problems: list[FileProblem] = []
        known = [PLAN, *(sheet.title for sheet in sheets())]
        self.order = {title: nth for nth, title in enumerate(known)}
        for title in book.sheetnames:
            if title not in (*known, README, LISTS):
                self.report(Place(sheet=title), f"A plan has no such sheet. {_near(title, known)}")

    def report(self, place: Place, message: str) -> None:
        self.problems.append(FileProblem(place, "", message))

    def place(self, sheet: str, row: int = 0, column: int = 0) -> Place:
        return Place(self.order.get(sheet, 0), row, column, sheet)

    def refuse_merged(self, sheet: str, first: str, area: str) -> None:
        if sheet in self.order:
            letters, row = coordinate_from_string(first)
            place = self.place(sheet, row, column_index_from_string(letters))
            self.report(place, f"Cells are merged here ({area}): unmerge them.")

    def plan(self) -> Mapping:
        root = Mapping(self.place(PLAN))
        self.fill_plan(root)
        parts = {sheet.name: list(self.parts(sheet)) for sheet in sheets()}
        for sheet in sheets():
            if sheet.within:
                self.hang(sheet, parts[sheet.name], parts[sheet.within])
            else:
                items: list[Node] = [node for _, node in parts[sheet.name]]
                _put(root, sheet.name, Sequence(self.place(sheet.title), items))
        return root

    def fill_plan(self, root: Mapping) -> None:
        names = list(plan_fields())
        for place, cells in self.rows(PLAN, [FIELD, VALUE]):
            if not _has_column(cells[FIELD]):
                continue
            field = cells[FIELD].text.strip().casefold()
            if field not in names:
                self.report(place, f"A plan has no field of this name. {_near(field, names)}")
            elif field in root.entries:
                self.report(place, f"This field is given twice, first in {root.key_places[field]}.")
            else:
                _put(root, field, cells[VALUE])

    def parts(self, sheet: Sheet) -> Iterator[tuple[Scalar | None, Mapping]]:
        """Each part of a sheet, with the cell that names what it belongs to."""
        for place, cells in self.rows(sheet.title, sheet.headings):
            part = Mapping(place)
            for column in sheet.columns:
                self.fill(part, column, cells[column.heading])
            yield (cells[sheet.parent] if sheet.within else None), _without_empty(part)

    def hang(
        self,
        sheet: Sheet,
        parts: list[tuple[Scalar | None, Mapping]],
        parents: list[tuple[Scalar | None, Mapping]],
    ) -> None:
        """Give tasks to their phase, and seats to their gate."""
        homes: dict[str, Sequence] = {}
        keyed = all(_has_column(parent.entries["key"]) for _, parent in parents)
        for _, parent in parents:
            home = Sequence(parent.place)
            _put(parent, sheet.name, home)
            key = parent.entries["key"]
            homes.setdefault(key.text if isinstance(key, Scalar) else "", home)
        for named, part in parts:
            if named and named.text in homes and named.text:
                homes[named.text].items.append(part)
            elif named and keyed and _has_column(named):
                what = f"“{named.text}” is no key" if named.text else "Write a key"
                known = _near(named.text, [key for key in homes if key])
                self.report(named.place, f"{what} of {sheet.within}. {known}")

    def rows(self, title: str, headings: list[str]) -> Iterator[Row]:
        """The rows below the headings that say something."""
        if title not in self.book.sheetnames or not hasattr(self.book[title], "iter_rows"):
            self.report(self.place(title), "This sheet is missing: put it back, with its headings.")
            return
        columns: dict[int, str] = {}
        told: set[int] = set()
        for row, cells in enumerate(self.cells(title), 1):
            if row > MOST_ROWS:
                self.report(
                    self.place(title, row, 1), "Delete the rows below the plan: there are too many."
                )
                return
            found = {
                position: self.scalar(cell, self.place(title, row, position))
                for position, cell in enumerate(cells, 1)
                if cell.value is not None
            }
            found = {position: one for position, one in found.items() if one.text.strip()}
            if row == 1:
                columns, told = self.columns(title, headings, found), set(found)
                continue
            for position in found.keys() - columns.keys() - told:
                self.report(found[position].place, "This column has no heading that is known.")
                told.add(position)
            if found:
                yield (
                    self.place(title, row, 1),
                    {
                        heading: found.get(position) or self.empty(title, row, position)
                        for position, heading in columns.items()
                    },
                )

    def cells(self, title: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a sheet, as far as it can be read."""
        page = self.book[title]
        # What a file says of its own extent need not be so.
        page.reset_dimensions()
        try:
            yield from page.iter_rows(max_col=MOST_COLUMNS)
        # Anything may be wrong inside, and whatever that leads to means the same.
        except Exception:  # noqa: BLE001
            self.report(self.place(title), "This sheet is broken: save it again in Excel.")

    def columns(self, title: str, headings: list[str], found: dict[int, Scalar]) -> dict[int, str]:
        """Which heading stands in which column; one that is missing gets a column without cells."""
        columns: dict[int, str] = {}
        meant: set[str] = set()
        for position, cell in found.items():
            heading = cell.text.strip().capitalize()
            if heading not in headings:
                self.report(cell.place, f"There is no such column. {_near(heading, headings)}")
                meant.update(get_close_matches(heading, headings, n=1))
            elif heading in columns.values():
                self.report(cell.place, f"The column {heading} is there twice: keep one.")
            else:
                columns[position] = heading
        for beyond, heading in enumerate(headings, MOST_COLUMNS + 1):
            if heading not in columns.values():
                if heading not in meant:
                    self.report(self.place(title), f"The column {heading} is missing: put it back.")
                columns[beyond] = heading
        return columns

    def empty(self, title: str, row: int, position: int) -> Scalar:
        return Scalar(self.place(title, row, position), "", plain=True)

    def scalar(self, cell: Any, place: Place) -> Scalar:
        """What a cell says as text; what Excel made of it instead is refused."""
        value, said = cell.value, ""
        if cell.data_type == "f":
            self.report(place, "This is a formula: write its value instead.")
        elif cell.data_type == "e":
            self.report(place, f"Excel shows an error here ({value}): write a value instead.")
        elif isinstance(value, date | time | timedelta):
            self.report(
                place,
                "Excel made a date of this: format the cell as text, then write it.",
            )
        elif isinstance(value, bool):
            said = "yes" if value else "no"
        elif isinstance(value, float) and value.is_integer():
            said = str(int(value))
        else:
            said = str(value)
        if odd := CONTROL.search(said):
            self.report(place, no_text(odd))
        if holds_nhs_number(said):
            self.report(place, "This could be an NHS number: a plan holds nothing of patients.")
        return Scalar(place, said, plain=not said)

    def fill(self, part: Mapping, column: Column, cell: Scalar) -> None:
        *within, name = column.path.split(".")
        for step in within:
            inner = part.entries.get(step) or Mapping(cell.place)
            _put(part, step, inner)
            part = inner if isinstance(inner, Mapping) else part
        _put(part, name, self.node(column, cell))

    def node(self, column: Column, cell: Scalar) -> Node:
        if not cell.text or column.kind is Kind.TEXT:
            return cell
        if column.kind is Kind.NUMBER:
            return Scalar(cell.place, cell.text.strip(), plain=True)
        if column.kind is Kind.FLAG:
            said = FLAGS.get(cell.text.strip().casefold())
            if said is None:
                self.report(cell.place, f"Write yes or no, not “{cell.text}”.")
            return Scalar(cell.place, said or "", plain=True)
        parts = [one.strip() for one in DIVIDED.split(cell.text) if one.strip()]
        if column.kind is Kind.LINKS:
            return Sequence(cell.place, [self.link(cell.place, one) for one in parts])
        return Sequence(cell.place, [Scalar(cell.place, one, plain=False) for one in parts])

    def link(self, place: Place, text: str) -> Node:
        said = LINK.fullmatch(text)
        link = Mapping(place)
        if said is None:
            self.report(place, f"Write CUT-15, or with a lag CUT-15 + 2 days, not “{text}”.")
            return link
        for name, value in zip(("task", "lag", "unit"), said.groups(), strict=True):
            if value is not None:
                _put(link, name, Scalar(place, value, plain=False))
        return link


def _has_column(cell: Node) -> bool:
    """Whether a cell stands in a column that is there: one that is missing is told once."""
    return cell.place.column <= MOST_COLUMNS


def _put(mapping: Mapping, name: str, node: Node) -> None:
    mapping.entries[name] = node
    mapping.key_places.setdefault(name, node.place)


def _without_empty(part: Mapping) -> Mapping:
    """A part whose fields that hold nothing but empty cells are themselves empty."""
    for name, node in part.entries.items():
        if isinstance(node, Mapping) and not any(
            isinstance(one, Sequence) or not one.is_empty
            for one in node.entries.values()
            if not isinstance(one, Mapping)
        ):
            part.entries[name] = Scalar(part.key_places[name], "", plain=True)
    return part


def _near(text: str, among: list[str]) -> str:
    near = get_close_matches(text, among, n=1)
    return f"Did you mean “{near[0]}”?" if near else f"Known are {', '.join(among)}."
