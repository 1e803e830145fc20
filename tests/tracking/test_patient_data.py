"""What looks like an NHS number is asked about in forms and refused in imports."""

import io
import logging
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from .cast import make_cast

NUMBER = "943 476 5919"  # the example of the NHS Data Dictionary
CHECKED = {"no_patient_data": "on"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def press(client, cast):
    """Post an act on a task, as somebody."""

    def press(who, code, act, **data):
        client.force_login(who)
        return client.post(cast.url("tasks", code, act), data)

    return press


def office(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return file.getvalue()


def pdf(text: str) -> bytes:
    """One page that shows ``text``, as small as a PDF can be."""
    shown = f"BT /F1 12 Tf 20 20 Td ({text}) Tj ET"
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R"
            "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        ),
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
    ]
    body, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += f"{number} 0 obj{part}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(parts) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF".encode("ascii")


FILES = {
    "a table": ("counts.csv", f"reference,count\n{NUMBER},2\n".encode()),
    "a text in UTF-16": ("said.txt", f"about {NUMBER}".encode("utf-16")),
    "a Word file": (
        "letter.docx",
        office(word__document="<w:p><w:t>943 476</w:t></w:r><w:r><w:t> 5919</w:t></w:p>"),
    ),
    "a workbook": (
        "list.xlsx",
        office(xl__workbook="<workbook/>", xl__worksheets__sheet1="<c><v>9434765919</v></c>"),
    ),
    "a PDF": ("report.pdf", pdf(f"See {NUMBER}")),
    "a file name": (f"results {NUMBER}.txt", b"nothing inside"),
}


def test_a_note_is_asked_about_and_what_was_typed_stays(cast, press, caplog):
    caplog.set_level(logging.DEBUG)
    asked = press(cast.manager, "GL-02", "notes", note=f"Rang about {NUMBER}")
    assert asked.status_code == 422
    page = asked.content.decode()
    assert "could be an NHS number" in page
    assert f"Rang about {NUMBER}</textarea>" in page
    assert 'name="no_patient_data"' in page
    assert not cast.task("GL-02").notes.exists()
    assert "943" not in caplog.text


def test_a_reference_that_only_looks_like_one_is_kept_once_somebody_has_checked(cast, press):
    kept = press(cast.manager, "GL-02", "notes", note=f"Order {NUMBER}", **CHECKED)
    assert kept.status_code == 302
    assert cast.task("GL-02").notes.get().text.body == f"Order {NUMBER}"


@pytest.mark.parametrize("act", ["not-applicable", "blocked"])
def test_a_reason_is_asked_about(cast, press, act):
    asked = press(cast.manager, "GL-02", act, reason=f"Only {NUMBER}")
    assert asked.status_code == 422
    assert 'name="no_patient_data"' in asked.content.decode()
    assert cast.task("GL-02").state == "open"


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_evidence_is_read_and_asked_about(cast, press, name, content):
    def hand_in(**checked):
        upload = SimpleUploadedFile(name, content)
        return press(cast.manager, "GL-02", "evidence", upload=upload, **checked)

    asked = hand_in()
    assert asked.status_code == 422
    assert "Choose the file again" in asked.content.decode()
    assert not cast.task("GL-02").evidence.exists()
    assert hand_in(**CHECKED).status_code == 302
    assert cast.task("GL-02").evidence.exists()


def test_cells_beside_each_other_make_no_number(cast, press):
    cells = "".join(f"<c><v>{digit}</v></c>" for digit in "9434765919")
    content = office(xl__workbook="<workbook/>", xl__worksheets__sheet1=cells)
    upload = SimpleUploadedFile("list.xlsx", content)
    assert press(cast.manager, "GL-02", "evidence", upload=upload).status_code == 302


def test_a_broken_pdf_is_taken_as_it_is(cast, press):
    upload = SimpleUploadedFile("report.pdf", b"%PDF-1.4\nnothing that can be read")
    assert press(cast.manager, "GL-02", "evidence", upload=upload).status_code == 302


def test_a_line_break_in_a_box_of_one_line_hides_nothing(client, cast):
    client.force_login(cast.manager)
    typed = {"role": "pcse", "name": "943\r\n476\r\n5919", "telephone": "0113 4960000"}
    asked = client.post(cast.url("people", "add"), typed)
    assert asked.status_code == 422
    assert "could be an NHS number" in asked.content.decode()
