"""Reading a CSV file that somebody hands in: how it is written, and which column stands where.

The whole file is checked before a line of it is used, because one quotation mark
that is never closed makes every later line mean something else.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import BinaryIO

from django.core.files import File

from .errors import Refused
from .patient_data import holds_nhs_number
from .text import detect_encoding, read_lines

LONGEST_LINE = 65_536  # characters
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def known_names(columns: Mapping[str, str]) -> dict[str, str]:
    """Column by what a header may call it; ``columns`` gives each its other names, in one text."""
    return {
        alias: column for column, aliases in columns.items() for alias in (column, *aliases.split())
    }


def first_line(file: BinaryIO | File) -> tuple[str, dict[str, list[str]]]:
    """The file's encoding, and its first line cut at each delimiter that may be meant.

    Raises :class:`Refused` for what is no text, an empty file and an open quotation mark.
    """
    codec = detect_encoding(file)
    with closing(read_lines(file, codec, longest=LONGEST_LINE)) as lines:
        first = next((line for line in lines if line.strip()), "")
    if not first:
        raise Refused("The file is empty.")
    split = {}
    for delimiter in DELIMITERS:
        try:
            split[delimiter] = next(csv.reader([first], delimiter=delimiter, strict=True))
        except csv.Error:
            continue
    if not split:
        raise _open_quotation(1)
    return codec, split


def columns_of(cells: list[str], known: Mapping[str, str]) -> list[str | None]:
    """What each cell of a header row means; case, spaces and punctuation do not count."""
    return [
        known.get(re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_")) for cell in cells
    ]


def positions_of(columns: list[str | None], cells: list[str]) -> dict[str, int]:
    """Where each column stands. Raises :class:`Refused` when one stands there twice."""
    positions: dict[str, int] = {}
    for position, column in enumerate(columns):
        if column in positions:
            raise Refused(
                f"Two columns of the header row both mean {column}: “{cells[positions[column]]}” "
                f"and “{cells[position]}”. Remove one of them."
            )
        if column:
            positions[column] = position
    return positions


def check_records(file: BinaryIO | File, codec: str, delimiter: str) -> int:
    """Read a file to its end; how many lines of it are not blank, with the header.

    Raises :class:`Refused` for a quotation mark left open, a line without end and what
    could be an NHS number.
    """
    number = 0
    for line, cells in records(file, codec, delimiter):
        number += 1
        if any(holds_nhs_number(" ".join(cell.split())) for cell in cells):
            raise Refused(
                f"Line {line:,} has a number in it that could be an NHS number. Nothing of the "
                "file was kept. Take the number out and use the file again."
            )
    return number


def records(file: BinaryIO | File, codec: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every line that is not blank, with its number in the file."""
    reader = csv.reader(
        read_lines(file, codec, longest=LONGEST_LINE), delimiter=delimiter, strict=True
    )
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as fault:
        raise _open_quotation(start) from fault


def _open_quotation(line: int) -> Refused:
    return Refused(
        f"Line {line:,}: a quotation mark is not closed, or stands inside a cell. "
        "Correct the line and use the file again."
    )
