"""Looking at a workbook before it is read: what it must not be, and what may not be in it.

Cells are read row by row. What would be spread out over a range (merged cells, links) is
never loaded, so no range in the file can grow.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO

from defusedxml import ElementTree
from openpyxl import Workbook, load_workbook

from practices.common.errors import Refused
from practices.common.files import MEGABYTE, check_archive
from practices.plans.yaml import FileProblem, Place, PlanFileError

MAX_MEGABYTES = 10
MOST_UNPACKED = 20 * MEGABYTE
# How old Excel files begin, and those with a password.
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7})(?::(\w+))?")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def open_workbook(content: bytes, *, file: str) -> tuple[Workbook, list[tuple[str, str, str]]]:
    """The workbook, and its merged cells: the sheet, its first cell and the whole range.

    Raises PlanFileError when it is no workbook, or one that is not accepted.
    """

    def refuse(message: str) -> PlanFileError:
        return PlanFileError([FileProblem(Place(), "", message)], file=file)

    if len(content) > MAX_MEGABYTES * MEGABYTE:
        raise refuse(f"A workbook may be at most {MAX_MEGABYTES} MB; this is larger.")
    if content.startswith(COMPOUND):
        raise refuse("This has a password or is an old Excel file: save it as .xlsx without one.")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_archive(archive.infolist(), most=MOST_UNPACKED)
            merged = list(_merged(archive))
        # Anything may be wrong inside, and whatever that leads to means the same.
        book = load_workbook(BytesIO(content), read_only=True, keep_links=False)
    except Refused as refusal:
        raise refuse(str(refusal)) from refusal
    except Exception as fault:
        raise refuse("This is no Excel workbook that can be read: save it as .xlsx.") from fault
    return book, merged


def _merged(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, str]]:
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet"):
        path = posixpath.normpath(posixpath.join("/xl", targets[sheet.get(RELATION)]))
        for column, row, last in MERGED.findall(archive.read(path.removeprefix("/"))):
            first = f"{column.decode()}{row.decode()}"
            yield sheet.get("name", ""), first, f"{first}:{last.decode()}"
