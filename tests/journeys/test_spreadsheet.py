"""Somebody who thinks in Excel: a plan goes out as a spreadsheet and comes back changed."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import FilePayload, expect

from practices.accounts.roles import Role
from practices.common.files import MEDIA_TYPES
from practices.plans.queries import newest_of, tree_of
from tests.factories import make_person
from tests.plans.workbooks import cell, saved

from .given import CUT_OVER_PLAN, shipped_plan
from .visitor import Visitor

SHEET = "Clocks"


def a_workbook(book) -> FilePayload:
    return {"name": "our plan.xlsx", "mimeType": MEDIA_TYPES["xlsx"], "buffer": saved(book)}


def row_of(book, title: str) -> int:
    rows = range(2, book[SHEET].max_row + 1)
    return next(row for row in rows if cell(book, SHEET, "Title", row).value == title)


@pytest.mark.parametrize("kind", ["scripts", "no scripts"])
def test_a_plan_is_changed_in_a_spreadsheet(new_visitor, kind, live_app):
    shipped_plan()
    v: Visitor = new_visitor(scripts=kind == "scripts", mouse=True)
    v.signs_in(make_person(Role.ADMINISTRATOR, name="Ada Admin"), at="/plans/")
    v.follows("NHS cut-over to post go-live")
    book = load_workbook(BytesIO(v.downloads("Export as Excel")))
    limit = cell(book, SHEET, "Limit", row_of(book, "Old-system access"))

    # When she slips, she is told the cell
    limit.value = "ninety"
    v.follows("Import a spreadsheet")
    v.main.get_by_label("Spreadsheet").set_input_files(a_workbook(book))
    v.presses("Check and compare")
    v.sees(f"our plan.xlsx, sheet Clocks, cell {limit.coordinate}: Write a whole number")

    # When she mends it, she sees what it would change, and nothing is written yet
    limit.value = 90
    v.main.get_by_label("Spreadsheet").set_input_files(a_workbook(book))
    v.presses("Check and compare")
    changes = v.main.get_by_role("table", name="Changes of the file")
    expect(changes).to_contain_text("Limit from 45 days to 90 days")
    v.sees("Nothing has been written yet")
    assert newest_of(CUT_OVER_PLAN).number == 1

    # Then it is in the draft, as one change that can be taken back
    v.presses("Take it into the draft")
    v.is_told("The draft says what our plan.xlsx says.")
    v.sees("Taken from our plan.xlsx")
    clocks = tree_of(newest_of(CUT_OVER_PLAN)).clocks
    assert [clock.limit for clock in clocks if clock.title == "Old-system access"] == [90]
