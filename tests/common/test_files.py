"""Files people hand in: which are kept, what is said of the others, how they are served."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.http import Http404

from practices.common.errors import Refused
from practices.common.files import (
    EVIDENCE,
    TABLE,
    check_upload,
    clean_name,
    remove_orphans,
    serve_file,
    store_file,
)
from practices.common.models import StoredFile
from tests import factories

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(100)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
CSV = b"ods_code,name\r\nZ81001,Elm\r\n"


def office(main: str, *more: str, body: bytes = b"<xml/>") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", main, *more):
            archive.writestr(name, body)
    return buffer.getvalue()


def encrypted(content: bytes) -> bytes:
    """The same archive with the mark of a password on every entry."""
    flagged = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = flagged.find(signature)
        while place >= 0:
            flagged[place + offset] |= 1
            place = flagged.find(signature, place + 1)
    return bytes(flagged)


DOCX, XLSX = office("word/document.xml"), office("xl/workbook.xml")
WANTED = {
    "report.pdf": PDF,
    "screen.png": PNG,
    "photo.jpg": JPG,
    "photo.JPEG": JPG,
    "letter.docx": DOCX,
    "list.xlsx": XLSX,
    "list.csv": CSV,
    "note.txt": "Gwiriwyd y data – dim gwallau\n".encode(),
    "old.txt": "Checked – no faults".encode("cp1252"),
    "wide.csv": CSV.decode().encode("utf-16"),
}
UNWANTED = {
    "nothing": ("note.txt", b"", "empty"),
    "too much": ("note.txt", b"x" * (1024 * 1024 + 1), "1 MB or smaller"),
    "an SVG picture": ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "an SVG picture named PNG": ("drawing.png", b"<svg xmlns='x'/>", "not a PNG file inside"),
    "a web page": ("page.html", b"<!doctype html><p>", "web page"),
    "a web page named text": ("page.txt", b"<!DOCTYPE HTML><script>1</script>", "web page code"),
    "a script in a text": ("note.txt", b"hello <script>alert(1)</script>", "web page code"),
    "a web page in UTF-16": ("page.txt", "<html>".encode("utf-16"), "web page code"),
    "no ending": ("report", PDF, "PDF, PNG, JPG"),
    "a program": ("setup.exe", b"MZ" + bytes(100), "PDF, PNG, JPG"),
    "a program named PDF": ("report.pdf", b"MZ" + bytes(100), "not a PDF file inside"),
    "a PDF named PNG": ("screen.png", PDF, "This one is a PDF"),
    "a picture named text": ("note.txt", PNG, "not a text file"),
    "a workbook named CSV": ("list.csv", XLSX, "not a text file"),
    "a letter named workbook": ("list.xlsx", DOCX, "not a XLSX file inside"),
    "an old workbook": ("list.xls", OLE, "PDF, PNG, JPG"),
    "an encrypted letter": ("letter.docx", OLE, "password"),
    "a macro workbook": ("list.xlsm", XLSX, "PDF, PNG, JPG"),
    "macros in a workbook": ("list.xlsx", office("xl/workbook.xml", "xl/vbaProject.bin"), "macros"),
    "old macros": ("list.xlsx", office("xl/workbook.xml", "xl/macrosheets/a.xml"), "macros"),
    "macros in a letter": ("a.docx", office("word/document.xml", "word/VBAPROJECT.BIN"), "macros"),
    "a password": ("letter.docx", encrypted(DOCX), "password"),
    "a bomb": ("list.xlsx", office("xl/workbook.xml", body=bytes(5_000_000)), "unpack"),
    "a thousand entries": (
        "list.xlsx",
        office("xl/workbook.xml", *(f"xl/{n}.xml" for n in range(1000))),
        "unpack",
    ),
    "a broken archive": ("letter.docx", DOCX[:-30], "not a DOCX file inside"),
    "a plain archive": ("letter.docx", office("notes.txt"), "not a DOCX file inside"),
    "two endings": ("report.pdf.exe", PDF, "PDF, PNG, JPG"),
}


def upload(name: str, content: bytes) -> ContentFile:
    return ContentFile(content, name=name)


@pytest.mark.parametrize("name", WANTED)
def test_evidence_is_known_by_name_and_content(name):
    found = check_upload(upload=upload(name, WANTED[name]), allowed=EVIDENCE, megabytes=1)
    assert "/" in found


@pytest.mark.parametrize("case", UNWANTED)
def test_other_files_are_refused_in_a_sentence(case):
    name, content, words = UNWANTED[case]
    with pytest.raises(Refused) as refusal:
        check_upload(upload=upload(name, content), allowed=EVIDENCE, megabytes=1)
    assert words in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_a_picture_is_no_table():
    with pytest.raises(Refused, match=r"CSV or TXT. This one is a picture"):
        check_upload(upload=upload("a.png", PNG), allowed=TABLE, megabytes=1)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("report\r\nX: 1.pdf", "reportX: 1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Tŷ Ŵyn.pdf", "Tŷ Ŵyn.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("\x00", "file"),
    ],
)
def test_names_are_only_ever_names(typed, kept):
    assert clean_name(typed) == kept


def keep(name: str = "report.pdf", content: bytes = PDF) -> StoredFile:
    person = factories.make_person()
    file = upload(name, content)
    return store_file(upload=file, by=person, at=AT, allowed=EVIDENCE, megabytes=1)


@pytest.mark.django_db
def test_a_kept_file_has_a_random_name_and_its_digest():
    stored, again = keep(), keep()
    assert (stored.name, stored.media_type, stored.size) == (
        "report.pdf",
        "application/pdf",
        len(PDF),
    )
    assert stored.sha256 == again.sha256
    assert stored.content.name != again.content.name
    assert "report" not in str(stored.content.name)


@pytest.mark.django_db
def test_a_file_is_served_so_that_no_browser_runs_it():
    response = serve_file(keep("Tŷ “Elm”.pdf"))
    assert response.getvalue() == PDF
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''T%C5%B7")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "no-store, private"
    assert response["Content-Type"] == "application/pdf"


@pytest.mark.django_db
def test_a_file_the_disk_has_lost_is_not_found():
    stored = keep()
    default_storage.delete(str(stored.content.name))
    with pytest.raises(Http404):
        serve_file(stored)


def on_disk() -> set[str]:
    try:
        folders, _ = default_storage.listdir("files")
    except FileNotFoundError:
        return set()
    return {name for folder in folders for name in default_storage.listdir(f"files/{folder}")[1]}


@pytest.mark.django_db
def test_a_row_that_cannot_be_written_leaves_no_file(monkeypatch):
    before = on_disk()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(StoredFile, "save", fail)
    with pytest.raises(ZeroDivisionError):
        keep()
    assert on_disk() == before


@pytest.mark.django_db
def test_a_full_disk_gives_a_sentence_and_leaves_nothing(monkeypatch):
    before = on_disk()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storages["default"].__class__, "_save", full)
    with pytest.raises(Refused, match=r"could not be kept"):
        keep()
    assert on_disk() == before
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
def test_files_of_rolled_back_acts_are_swept_away_and_no_others():
    kept = keep()
    with transaction.atomic():
        keep()
        transaction.set_rollback(True)
    later = datetime.now(UTC) + timedelta(days=1)
    assert remove_orphans(before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert remove_orphans(before=later) >= 1
    assert kept.content.open("rb").read() == PDF
    assert remove_orphans(before=later) == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [("photo.pdf", b"notes"), ("list.xlsx", DOCX), ("list.xlsx", b"a,b"), ("a.png", b"notes")],
)
def test_what_a_file_only_says_it_is_is_not_said_of_it(name, content):
    with pytest.raises(Refused) as refusal:
        check_upload(upload=upload(name, content), allowed=EVIDENCE, megabytes=1)
    for words in ("This one is a PDF", "This one is an Excel workbook", "This one is a picture"):
        assert words not in str(refusal.value)
