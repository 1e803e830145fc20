"""Reading a CSV of people to invite. What each line asks for is checked by the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files import File

from practices.common.errors import Refused
from practices.common.table import (
    check_records,
    columns_of,
    first_line,
    known_names,
    positions_of,
    records,
)

MOST_LINES = 200

NAMES_OF_COLUMNS = {
    "email": "e_mail email_address e_mail_address mail",
    "name": "full_name person",
    "role": "role_key",
    "organisation": "organisation_code ods_code org_code code practice",
    "until": "until_and_including last_day valid_to",
}
_KNOWN = known_names(NAMES_OF_COLUMNS)
_NEEDED = {"email", "name", "role"}


@dataclass(frozen=True)
class Line:
    """One line of the file: its number and its cells by column."""

    number: int
    cells: Mapping[str, str]


def read_invitation_file(file: BinaryIO | File) -> list[Line]:
    """The lines of a file. Raises :class:`Refused` when it is wrong as a whole."""
    codec, split = first_line(file)
    header = {
        delimiter: (columns_of(cells, _KNOWN), cells)
        for delimiter, cells in split.items()
        if set(columns_of(cells, _KNOWN)) >= _NEEDED
    }
    if not header:
        raise Refused(
            "The first line does not name the columns. Start with a header row that names email, "
            "name, role and organisation."
        )
    delimiter, (columns, cells) = next(iter(header.items()))
    positions = positions_of(columns, cells)
    number = check_records(file, codec, delimiter) - 1
    if not number:
        raise Refused("The file has a header row and no lines below it.")
    if number > MOST_LINES:
        raise Refused(f"The file has {number:,} lines. Use at most {MOST_LINES} at a time.")
    lines = records(file, codec, delimiter)
    next(lines)
    return [
        Line(
            start,
            {
                column: record[place].strip() if place < len(record) else ""
                for column, place in positions.items()
            },
        )
        for start, record in lines
    ]
