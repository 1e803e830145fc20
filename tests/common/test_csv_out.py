"""A cell that a spreadsheet program would run gets an apostrophe."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.csv_out import SafeCSV, safe_cell

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", " ", "\ufeff", "\u00a0", " \ufeff "])
def test_a_formula_is_disarmed(before, start):
    assert safe_cell(f"{before}{start}1+1") == f"'{before}{start}1+1"


@pytest.mark.parametrize("value", ["Elm Tree Surgery", "A12345", "O'Neill", "a=b", 5, ""])
def test_ordinary_values_stay(value):
    assert safe_cell(value) == str(value)


def test_nothing_is_an_empty_cell():
    assert safe_cell(None) == ""


@given(st.lists(st.text(), min_size=1))
def test_no_text_reaches_the_file_as_a_formula(cells):
    stream = io.StringIO(newline="")
    SafeCSV(stream).row(*cells)
    text = stream.getvalue()
    assert text.startswith("\ufeff")
    (row,) = csv.reader(io.StringIO(text[1:], newline=""))
    assert len(row) == len(cells)
    assert not any(cell.lstrip(" \ufeff\u00a0\u200b").startswith(tuple(STARTS)) for cell in row)
