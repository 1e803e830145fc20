"""Reading a list of practices: the ODS file ``epraccur``, or a CSV with a header row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files import File

from practices.common.errors import Refused
from practices.common.table import (
    DELIMITERS,
    check_records,
    columns_of,
    first_line,
    known_names,
    positions_of,
    records,
)
from practices.common.text import NAMES

CODE = re.compile(r"[A-Za-z0-9]{3,9}")

# The 27 columns of epraccur, by the names that our own header row knows them by.
EPRACCUR = (
    "ods_code", "name", "national_grouping", "icb",
    "address_1", "address_2", "address_3", "address_4", "address_5", "postcode",
    "opened", "closed", "status", "sub_type", "sub_icb", "joined", "left", "telephone",
    "column_19", "column_20", "column_21", "amended", "column_23", "column_24", "column_25",
    "prescribing_setting", "column_27",
)  # fmt: skip

# What a header may call each column; case, spaces and punctuation do not count.
NAMES_OF_COLUMNS = {
    "ods_code": "ods code practice_code organisation_code org_code gp_practice_code",
    "name": "practice practice_name organisation_name org_name gp_practice_name",
    "icb": "icb_code integrated_care_board high_level_health_geography",
    "sub_icb": "sub_icb_code sub_icb_location sub_icb_location_code ccg ccg_code",
    "address": "full_address",
    **{f"address_{n}": f"address_line_{n} address{n}" for n in range(1, 6)},
    "postcode": "post_code",
    "telephone": "phone tel telephone_number phone_number contact_telephone_number",
    "opened": "open_date opened_on date_opened opening_date",
    "closed": "close_date closed_on date_closed closing_date",
    "status": "status_code",
    "joined": "join_date joined_on join_provider_purchaser_date",
    "left": "left_date left_on left_provider_purchaser_date",
    "dispensing": "dispensing_practice is_dispensing",
    "list_size": "patients registered_patients patient_list_size number_of_patients",
    "prescribing_setting": "setting",
}
_KNOWN = known_names(NAMES_OF_COLUMNS)


@dataclass(frozen=True)
class Layout:
    """Which column stands where. In ``epraccur`` an empty cell means that there is nothing."""

    positions: dict[str, int]
    header: tuple[str, ...]
    epraccur: bool

    @property
    def unused(self) -> list[str]:
        """Names of columns that this product has no use for."""
        used = set(self.positions.values())
        return [
            name.strip()
            for position, name in enumerate(self.header)
            if not self.epraccur and name.strip() and position not in used
        ]


@dataclass(frozen=True)
class PracticeFile:
    """A file that can be read to its end, and how."""

    file: BinaryIO | File
    codec: str
    delimiter: str
    layout: Layout
    total: int

    @property
    def described(self) -> str:
        """How the file was read, for the report: "epraccur, UTF-8, commas"."""
        kind = "ODS epraccur" if self.layout.epraccur else "CSV with a header row"
        encoding = NAMES.get(self.codec, self.codec[:6].upper())
        return f"{kind}, {encoding}, parted by {DELIMITERS[self.delimiter]}"

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Every line that is not blank and not the header, with its number in the file."""
        lines = records(self.file, self.codec, self.delimiter)
        if not self.layout.epraccur:
            next(lines)
        return lines


def check_practice_file(file: BinaryIO | File) -> PracticeFile:
    """Read the whole of ``file`` once.

    Raises :class:`Refused` when it is wrong as a whole, in one sentence that says
    what to do: not text, empty, no known columns, a quotation mark left open, a
    line without end, what could be an NHS number.
    """
    codec, split = first_line(file)
    delimiter, layout = _recognise(split)
    lines = check_records(file, codec, delimiter)
    total = lines if layout.epraccur else lines - 1
    if not total:
        raise Refused("The file has a header row and no lines below it.")
    return PracticeFile(file, codec, delimiter, layout, total)


def _recognise(split: dict[str, list[str]]) -> tuple[str, Layout]:
    for delimiter, cells in split.items():
        if layout := _layout(cells):
            return delimiter, layout
    most = max(split.values(), key=len)
    columns = "1 column" if len(most) == 1 else f"{len(most)} columns"
    raise Refused(
        f"The first line has {columns} and is not one we know. Use the ODS file epraccur, which "
        "has 27 columns, or start with a header row that names at least ods_code and name."
    )


def _layout(cells: list[str]) -> Layout | None:
    columns = columns_of(cells, _KNOWN)
    if {"ods_code", "name"} <= set(columns):
        return Layout(positions_of(columns, cells), tuple(cells), epraccur=False)
    if len(cells) == len(EPRACCUR) and "ods_code" not in columns:
        known = {name: place for place, name in enumerate(EPRACCUR) if name in NAMES_OF_COLUMNS}
        return Layout(known, EPRACCUR, epraccur=True)
    return None
