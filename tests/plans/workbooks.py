"""Workbooks of the small plan, to be changed as people change them in Excel."""

from io import BytesIO

from openpyxl import Workbook, load_workbook

from practices.plans.xlsx import write_workbook
from practices.plans.yaml import read_plan

from .small import SMALL


def small_book(text: str = SMALL) -> Workbook:
    """The workbook of a plan, open for changes."""
    return load_workbook(BytesIO(write_workbook(read_plan(text, file="plan.yaml"))))


def saved(book: Workbook) -> bytes:
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def cell(book: Workbook, sheet: str, heading: str, row: int = 2):
    """The cell of a row below a heading."""
    page = book[sheet]
    column = next(one.column for one in page[1] if one.value == heading)
    return page.cell(row, column)
