"""Bad files of every kind: refused in one clear sentence that says where, and nothing written."""

# ruff: noqa: E501  (a row is easier to read than a paragraph)

import itertools
import zipfile
from datetime import date, time
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange

from practices.accounts.roles import Role
from practices.common.models import Event
from practices.plans import services
from practices.plans.models import Plan, PlanEdit, PlanVersion
from practices.plans.yaml import read_plan
from tests.factories import MONDAY, make_person

from .small import SMALL, changed
from .workbooks import cell, saved, small_book

LAUGHS = "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in itertools.pairwise("abcdefgh"))
CYCLE = SMALL.replace(
    "        records: FDP\n", "        records: FDP\n        after: [{task: CUT-02}]\n"
)
CYCLE = CYCLE.replace("        helps: [clinician]\n", "        after: [{task: CUT-01}]\n")

# What it is, the file, and what is said of it.
YAML = [
    ("nothing", b"", "This file is empty. Choose another one"),
    ("an empty line", b" \n", "line 1: The file is empty."),
    ("a comment only", b"# nothing\n", "line 1: The file is empty."),
    ("10 MB", SMALL.encode() + b"#" * 10_000_000, "at most 2 MB"),
    ("another encoding", SMALL.replace("A small", "Un petit café").encode("latin-1"), "line 3: This is not UTF-8"),
    ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00\x00", "This is not a text file"),
    ("a control character", changed("A small plan", "A\x07plan").encode(), "line 3: There is a character that is no text here (U+0007)."),
    ("a billion laughs", (SMALL + "a: &a [x]\n" + LAUGHS).encode(), "YAML aliases such as *a are not allowed"),
    ("an object", changed("A small plan", "!!python/object/apply:os.system [id]").encode(), "line 3: YAML tags such as"),
    ("a tag of its own", changed("A small plan", "!secret x").encode(), "line 3: YAML tags such as !secret are not allowed"),
    ("an anchor", changed("A small plan", "&x A").encode(), "line 3: YAML anchors such as &amp;x"),
    ("nested 2,000 deep", b"format: " + b"[" * 2_000, "nested more than 10 deep"),
    ("two plans", (SMALL + "---\n" + SMALL).encode(), "Only one plan fits in a file"),
    ("a list", b"- one\n- two\n", "line 1: Write fields here"),
    ("JSON of something else", b'{"name": "x"}', "line 1, name: There is no field of this name here."),
    ("a field twice", changed("slug: small", "slug: small\nslug: a").encode(), "line 3, slug: This field is given twice, first in line 2"),
    ("a code twice", changed("code: CUT-03", "code: CUT-02").encode(), "two tasks"),
    ("a cycle", CYCLE.encode(), "CUT-01"),
    ("a key unknown", changed("slug: small", "slug: small\nowner: me").encode(), "line 3, owner: There is no field of this name here."),
    ("words for a number", changed("limit: 45", "limit: some").encode(), "clocks.access.limit: Write a whole number"),
    ("a list for a text", changed("title: A small plan", "title: [a]").encode(), "line 3, title: Write one value here"),
    ("a patient", changed("A small plan", "943 476 5919").encode(), "line 3: This could be an NHS number"),
]  # fmt: skip


@pytest.fixture
def client(client, db):
    client.force_login(make_person(Role.ADMINISTRATOR))
    tree = read_plan(SMALL, file="plan.yaml")
    services.load_plan(tree=tree, by=None, at=MONDAY)
    return client


def kept():
    """All that an upload could have written."""
    versions = PlanVersion.objects.order_by("pk").values_list("pk", "digest", "revision")
    counts = [model.objects.count() for model in (Plan, PlanEdit, Event)]
    return list(versions), counts


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in YAML], ids=[r[0] for r in YAML])
def test_a_bad_yaml_file_is_refused_by_line(client, content, said):
    before = kept()
    answer = client.post("/plans/upload/", {"file": SimpleUploadedFile("plan.yaml", content)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert kept() == before


def book(change):
    """The small plan's workbook after one change."""

    def make():
        there = small_book()
        change(there)
        return saved(there)

    return make


def put(sheet, heading, value, row=2):
    return book(lambda there: setattr(cell(there, sheet, heading, row), "value", value))


def packed(*entries, compress=zipfile.ZIP_DEFLATED):
    """The small plan's workbook with more packed into it, or in place of what is there."""

    def make():
        written = BytesIO()
        with (
            zipfile.ZipFile(BytesIO(saved(small_book()))) as there,
            zipfile.ZipFile(written, "w", compress) as archive,
        ):
            names = {name for name, _ in entries}
            for name in there.namelist():
                if name not in names:
                    archive.writestr(name, there.read(name))
            for name, content in entries:
                archive.writestr(name, content)
        return written.getvalue()

    return make


def with_password():
    """The directory of a zip file says of each entry whether it has a password."""
    content = bytearray(saved(small_book()))
    place = content.find(b"PK\x01\x02")
    content[place + 8] |= 1
    return bytes(content)


def waits_in_a_circle(there):
    cell(there, "Tasks", "After", 2).value = "CUT-02"
    cell(there, "Tasks", "After", 3).value = "CUT-01"


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;</workbook>'
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData><row r='2'>%s"
)
UNREADABLE = "the whole file: This is no Excel workbook that can be read"
XLSX = [
    ("nothing", lambda: b"", "This file is empty. Choose another one"),
    ("10 MB", lambda: b"PK" + b"x" * 10 * 1024 * 1024, "the whole file: A workbook may be at most 10 MB"),
    ("a text", lambda: b"code,title\n", UNREADABLE),
    ("a plan in YAML", SMALL.encode, UNREADABLE),
    ("a file cut short", lambda: saved(small_book())[:-200], UNREADABLE),
    ("another zip", packed(("xl/_rels/workbook.xml.rels", "<a")), UNREADABLE),
    ("no sheets at all", packed(("xl/workbook.xml", "<a/>")), "sheet Plan: This sheet is missing"),
    ("entities", packed(("xl/workbook.xml", ENTITIES)), UNREADABLE),
    ("an old workbook or a password", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "save it as .xlsx without one"),
    ("a zip with a password", with_password, "The file is protected with a password"),
    ("macros", packed(("xl/vbaProject.bin", "x")), "The file holds macros"),
    ("a zip bomb", packed(("xl/media/a.bin", "0" * 30_000_000)), "unpack to far more than its size"),
    ("too many entries", packed(*((f"xl/media/{n}", "x") for n in range(1_100))), "unpack to far more than its size"),
    ("21 MB unpacked", packed(*((f"xl/media/{n}", bytes(range(256)) * 4_100) for n in range(21))), "unpack to far more than its size"),
    ("a formula", put("Tasks", "Title", "=A1", 3), "sheet Tasks, cell C3: This is a formula"),
    ("a formula for a number", put("Clocks", "Limit", "=40+5"), "This is a formula: write its value instead."),
    ("an error of Excel", put("Tasks", "Title", "#REF!"), "sheet Tasks, cell C2: Excel shows an error here (#REF!)"),
    ("a date", put("Tasks", "Title", date(2027, 3, 12)), "sheet Tasks, cell C2: Excel made a date of this"),
    ("a time", put("Tasks", "Title", time(12, 30)), "sheet Tasks, cell C2: Excel made a date of this"),
    ("part of a day", put("Tasks", "Due by", 1.5), "Write a whole number from -3000 to 3000, not “1.5”."),
    ("an offset too far", put("Tasks", "Due by", 1e15), "Write a whole number from -3000 to 3000"),
    ("words for a number", put("Clocks", "Limit", "some"), "Write a whole number"),
    ("maybe", put("Clocks", "Enabled", "maybe"), "Write yes or no, not “maybe”."),
    ("merged cells", book(lambda b: b["Tasks"].merge_cells("A2:A3")), "sheet Tasks, cell A2: Cells are merged here (A2:A3)"),
    ("all cells merged", book(lambda b: setattr(b["Gates"], "merged_cells", _all())), "sheet Gates, cell A1: Cells are merged here (A1:XFD1048576)"),
    ("a sheet unknown", book(lambda b: b.create_sheet("Budget")), "sheet Budget: A plan has no such sheet."),
    ("a sheet misspelt", book(lambda b: setattr(b["Tasks"], "title", "Taks")), "sheet Taks: A plan has no such sheet. Did you mean “Tasks”?"),
    ("a sheet missing", book(lambda b: b.remove(b["Gates"])), "sheet Gates: This sheet is missing"),
    ("a column unknown", book(lambda b: setattr(b["Phases"]["F1"], "value", "Colour")), "sheet Phases, cell F1: There is no such column."),
    ("a column missing", book(lambda b: b["Phases"].delete_cols(3)), "sheet Phases: The column Duration is missing"),
    ("a column twice", book(lambda b: setattr(b["Phases"]["F1"], "value", "Title")), "sheet Phases, cell F1: The column Title is there twice"),
    ("words beside the table", book(lambda b: setattr(b["Phases"]["H2"], "value", "Ask Ann")), "sheet Phases, cell H2: This column has no heading"),
    ("a row far below", book(lambda b: setattr(b["Phases"]["A9000"], "value", "x")), "sheet Phases, cell A5001: Delete the rows below the plan"),
    ("a code twice", put("Tasks", "Code", "CUT-02", 4), "sheet Tasks, cell B4: "),
    ("no code", put("Tasks", "Code", None), "sheet Tasks, cell B2: This field is needed"),
    ("a task of no phase", put("Tasks", "Phase", "cutover"), "sheet Tasks, cell A2: “cutover” is no key of phases. Did you mean “cut_over”?"),
    ("a seat of no gate", put("Seats", "Gate", None), "sheet Seats, cell A2: Write a key of gates."),
    ("a role unknown", put("Tasks", "Owner", "boss"), "“boss” is not known."),
    ("a cycle", book(waits_in_a_circle), "CUT-01"),
    ("a lag in words", put("Tasks", "After", "CUT-02 in a week", 2), "Write CUT-15, or with a lag CUT-15 + 2 days"),
    ("a field of the plan unknown", book(lambda b: setattr(b["Plan"]["A7"], "value", "Author")), "sheet Plan, cell A7: A plan has no field of this name."),
    ("a field of the plan twice", book(lambda b: setattr(b["Plan"]["A7"], "value", "Slug")), "sheet Plan, cell A7: This field is given twice"),
    ("a slug too long", book(lambda b: setattr(b["Plan"]["B3"], "value", "x" * 61)), "sheet Plan, cell B3: Use at most 60 characters; this has 61."),
    ("a code too long", put("Tasks", "Code", f"C{'U' * 16}-0003"), "sheet Tasks, cell B2: Use at most 20 characters; this has 22."),
    ("another format", book(lambda b: setattr(b["Plan"]["B2"], "value", 2)), "sheet Plan, cell B2: This program reads format 1, not “2”."),
    ("a sheet that breaks off", packed(("xl/worksheets/sheet5.xml", SHEET % "<c r='A2'><v>1</v>")), UNREADABLE),
    ("a number that is none", packed(("xl/worksheets/sheet5.xml", SHEET % "<c r='A2'><v>x</v></c></row></sheetData></worksheet>")), "sheet Tasks: This sheet is broken"),
    ("a text that is not there", packed(("xl/worksheets/sheet5.xml", SHEET % "<c r='A2' t='s'><v>99</v></c></row></sheetData></worksheet>")), "sheet Tasks: This sheet is broken"),
    ("a sheet that is no XML", packed(("xl/worksheets/sheet3.xml", "<a>\x01</a>")), UNREADABLE),
    ("a patient", put("Tasks", "Guidance", "943 476 5919"), "This could be an NHS number"),
]  # fmt: skip


def _all():
    """One merged range over a whole sheet: reading it cell by cell would never end."""
    return MultiCellRange([CellRange("A1:XFD1048576")])


@pytest.mark.parametrize(("make", "said"), [row[1:] for row in XLSX], ids=[row[0] for row in XLSX])
def test_a_bad_workbook_is_refused_by_sheet_and_cell(client, make, said):
    before = kept()
    answer = client.post("/plans/small/import/", {"file": SimpleUploadedFile("my.xlsx", make())})
    assert answer.status_code == 422
    assert escape(said) in answer.content.decode() or said in answer.content.decode()
    assert kept() == before
