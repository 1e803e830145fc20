"""A plan as a workbook: every cell a text or a number, and closed lists to choose from."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from practices.plans.rules import PlanTree
from practices.plans.yaml import plan_entry

from .sheets import FIELD, LISTS, PLAN, README, VALUE, Column, Kind, Sheet, plan_fields, sheets

# As far down as cells offer their lists: more rows than a plan may have.
LAST_ROW = 1_100
WIDTHS = {Kind.NUMBER: 10, Kind.FLAG: 12, Kind.LINKS: 28}
WRAPPED = Alignment(wrap_text=True, vertical="top")
HEAD = PatternFill("solid", fgColor="D8DDE0")
TEXT_FORMAT = "@"

EXPLAINED = (
    "This workbook is a plan of Migration Tracker. Change it and save it as .xlsx.",
    "Import it on the page of the plan: what would change is shown before anything is written.",
    "Each row of a sheet is one part of the plan, in the order in which it is shown.",
    "Add, remove and move whole rows. Sheets and headings have to stay as they are.",
    "Several values in one cell are divided by commas.",
    "What a task waits for is on lines of its own, with its lag: CUT-15 + 2 working_days.",
    "Formulas, merged cells and macros are refused. Nothing of any patient belongs here.",
)


def write_workbook(tree: PlanTree) -> bytes:
    """The plan as an Excel workbook; reading it gives the same tree."""
    said = plan_entry(tree)
    book = Workbook()
    book.remove(book.active)
    _readme(book.create_sheet(README))
    _plan(book.create_sheet(PLAN), said)
    lists = book.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    for sheet in sheets():
        page = book.create_sheet(sheet.title, index=len(book.sheetnames) - 1)
        _head(page, sheet.headings)
        _columns(page, sheet, lists)
        for number, (parent, part) in enumerate(_rows(sheet, said), 2):
            first = [parent] if sheet.within else []
            values = [_value(column, part) for column in sheet.columns]
            for position, value in enumerate([*first, *values], 1):
                _write(page.cell(number, position), value)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _rows(sheet: Sheet, said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not sheet.within:
        yield from (("", part) for part in said.get(sheet.name, ()))
        return
    for parent in said.get(sheet.within, ()):
        yield from ((parent["key"], part) for part in parent.get(sheet.name, ()))


def _value(column: Column, part: dict[str, Any]) -> str | int | None:
    found: Any = part
    for name in column.path.split("."):
        found = found.get(name) if found else None
    match column.kind:
        case Kind.FLAG:
            return "yes" if (column.default if found is None else found) else "no"
        case Kind.WORDS | Kind.NUMBERS:
            return ", ".join(str(one) for one in found or ())
        case Kind.LINKS:
            return "\n".join(_link(one) for one in found or ())
        case Kind.NUMBER:
            return None if found is None else int(found)
    return "" if found is None else str(found)


def _link(link: dict[str, Any]) -> str:
    return f"{link['task']} + {link['lag']} {link['unit']}" if "unit" in link else str(link["task"])


def _write(cell: Cell, value: str | int | None) -> None:
    cell.alignment = WRAPPED
    if isinstance(value, int):
        cell.value = value
        return
    cell.number_format = TEXT_FORMAT
    if value:
        cell.value = value
        # What begins like a formula or an error is a text all the same, here and in Excel.
        cell.data_type = "s"
        cell.quotePrefix = value[0] in "=+-@#"


def _head(page: Worksheet, headings: list[str]) -> None:
    for position, heading in enumerate(headings, 1):
        cell = page.cell(1, position, heading)
        cell.font, cell.fill, cell.alignment = Font(bold=True), HEAD, WRAPPED
    page.freeze_panes = "B2"


def _columns(page: Worksheet, sheet: Sheet, lists: Worksheet) -> None:
    """Widths, the text format also for rows to come, and the lists to choose from."""
    shift = 2 if sheet.within else 1
    if sheet.within:
        parents = next(one.title for one in sheets() if one.name == sheet.within)
        _choose(page, 1, f"={parents}!$A$2:$A${LAST_ROW}")
        page.column_dimensions["A"].width = 20
    for position, column in enumerate(sheet.columns, shift):
        dimension = page.column_dimensions[page.cell(1, position).column_letter]
        dimension.width = WIDTHS.get(column.kind, 50 if column.is_prose else 20)
        if column.kind is not Kind.NUMBER:
            dimension.number_format = TEXT_FORMAT
        choices = ("yes", "no") if column.kind is Kind.FLAG else column.among
        if choices:
            _choose(page, position, _list(lists, choices))


def _choose(page: Worksheet, position: int, among: str) -> None:
    letter = page.cell(1, position).column_letter
    rule = DataValidation(type="list", formula1=among, allow_blank=True)
    rule.error, rule.errorTitle = "Choose a value from the list.", "Not in the list"
    rule.showErrorMessage = True
    rule.add(f"{letter}2:{letter}{LAST_ROW}")
    page.add_data_validation(rule)


def _list(lists: Worksheet, among: tuple[str, ...]) -> str:
    """A column of the hidden sheet: longer lists do not fit into a rule itself."""
    position = lists.max_column + 1 if lists.cell(1, 1).value else 1
    for row, value in enumerate(among, 1):
        lists.cell(row, position, value)
    letter = lists.cell(1, position).column_letter
    return f"={LISTS}!${letter}$1:${letter}${len(among)}"


def _plan(page: Worksheet, said: dict[str, Any]) -> None:
    _head(page, [FIELD, VALUE])
    for number, name in enumerate(plan_fields(), 2):
        _write(page.cell(number, 1), name.capitalize())
        _write(page.cell(number, 2), said.get(name, ""))
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 16, 90


def _readme(page: Worksheet) -> None:
    for text in EXPLAINED:
        page.append([text])
    page.append([])
    page.append(["Sheet", "Column", "What it says"])
    for name, description in plan_fields().items():
        page.append([PLAN, name.capitalize(), description])
    for sheet in sheets():
        if sheet.within:
            page.append([sheet.title, sheet.parent, f"The key of the {sheet.parent.lower()}."])
        for column in sheet.columns:
            page.append([sheet.title, column.heading, column.description])
    for cell in page[len(EXPLAINED) + 2]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for letter, width in {"A": 16, "B": 24, "C": 90}.items():
        page.column_dimensions[letter].width = width
