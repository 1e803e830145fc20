"""Practice lists for tests: fictional practices in the layout of epraccur, and as plain CSV."""

import csv
import io
import zipfile
from typing import Any

from practices.directory.practice_file import EPRACCUR

WIDTH = len(EPRACCUR)
HEADER = ["ods_code", "name", "postcode"]
ELM = ["Z81001", "Elm Tree Surgery", "ZZ1 1AA"]


def line(code: str = "Z81001", name: str = "ELM TREE SURGERY", **cells: Any) -> list[str]:
    """One line of epraccur: an open GP practice in Kent, as far as ``cells`` say nothing else."""
    said = {
        "ods_code": code,
        "name": name,
        "national_grouping": "Y59",
        "icb": "QKS",
        "address_1": "THE HEALTH CENTRE",
        "address_2": "1 ELM ROAD",
        "address_3": "ELMTON",
        "postcode": "ZZ1 1AA",
        "opened": "19740401",
        "closed": "",
        "status": "A",
        "sub_type": "B",
        "sub_icb": "91Q",
        "joined": "20200401",
        "left": "",
        "telephone": "01632 960001",
        "prescribing_setting": "4",
    }
    assert cells.keys() <= set(EPRACCUR), cells
    return [str((said | cells).get(column, "")) for column in EPRACCUR]


def epraccur(*lines: list[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """The file itself: every cell quoted, no header, lines ended by CR LF."""
    return table(*lines, delimiter=delimiter, encoding=encoding)


def table(*rows: list[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode(encoding)


def many(count: int, **cells: Any) -> list[list[str]]:
    return [line(f"Z{80_000 + n}", f"SURGERY {n}", **cells) for n in range(count)]


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x" * 500)
    return buffer.getvalue()


GOOD = epraccur(line(), line("Z81002"), line("Z81003"))
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20
# What a file wrong as a whole holds, and words of the sentence that refuses it.
WRONG = {
    "nothing at all": (b"", "empty"),
    "blank lines only": (b"\r\n\r\n  \r\n", "empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "empty"),
    "a picture": (PNG, "not a text file"),
    "a photograph": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 20, "not a text file"),
    "an Excel workbook": (zipped("[Content_Types].xml", "xl/workbook.xml"), "CSV UTF-8"),
    "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "CSV UTF-8"),
    "a zip archive": (zipped("epraccur.csv"), "not a text file"),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 20, "not a text file"),
    "rich text": (b"{\\rtf1\\ansi A practice list}", "not a text file"),
    "a program": (b"MZ" + bytes(range(32)) * 100, "not a text file"),
    "zeros": (bytes(5000), "not a text file"),
    "a web page": (b"<!doctype html><html><body>practices</body></html>", "first line"),
    "JSON": (b'{"practices": [{"code": "Z81001"}]}', "first line"),
    "a letter": (b"Dear practice manager,\r\nplease find below\r\n", "first line"),
    "one column": (b"Z81001\r\nZ81002\r\n", "1 column"),
    "26 columns": (table(line()[:-1]), "26 columns"),
    "28 columns": (table([*line(), "x"]), "28 columns"),
    "no column of codes": (table(["name", "postcode"], ["Elm", "ZZ1 1AA"]), "ods_code"),
    "no column of names": (table(["ods_code", "postcode"], ["Z81001", "ZZ1 1AA"]), "name"),
    "a header and nothing else": (table(HEADER), "no lines below"),
    "two columns of codes": (table(["ods_code", "Practice code", "name"], ELM), "Practice code"),
    "the same column twice": (table([*HEADER, "Postcode"], [*ELM, "x"]), "Remove one"),
    "a quotation mark left open in the first line": (b'"Z81001,"Elm"\r\n', "Line 1:"),
    "a quotation mark left open in the third line": (
        GOOD + b'"Z81004","ELM TREE\r\n' + epraccur(line("Z81005")),
        "Line 4:",
    ),
    "a quotation mark left open in the last line": (GOOD + b'"Z81004,ELM\r\n', "Line 4:"),
    "a quotation mark inside a cell": (GOOD + b'"Z81004","THE "OLD" SURGERY"\r\n', "Line 4:"),
    "a quotation mark that swallows the file": (
        b'ods_code,name\r\nZ81001,Elm\r\nZ81002,"Oak\r\n' + b"Z81003,Ash\r\n" * 20_000,
        "Line 3:",
    ),
    "10 MB of one line": (b"x" * 10_000_000, "Line 1 is longer"),
    "10 MB of one line after good ones": (GOOD + b"x" * 10_000_000, "Line 4 is longer"),
    "10 MB of one quoted cell": (GOOD + b'"' + b"x" * 10_000_000, "Line 4 is longer"),
    "bytes that are no text": (GOOD + b"Z81004,\x81\x8d\x8f\x90\x9d,x\r\n", "not a text file"),
    "UTF-16 that breaks off": (epraccur(line(), encoding="utf-16")[:-1], "UTF-16"),
    "an NHS number in a cell": (GOOD + table([*line()[:5], "SEE 943 476 5919"]), "Line 4 has"),
    "an NHS number over lines of a cell": (
        GOOD + table([*line()[:5], "943\n476\n5919"]),
        "Line 4 has",
    ),
    "UTF-8 by its mark but not inside": (b"\xef\xbb\xbf" + GOOD + b"\xff\xfe\xff", "UTF-8"),
}
