"""What can be read as a practice list, and what is refused as a whole in one sentence."""

import io

import pytest

from practices.common.errors import Refused
from practices.directory.practice_file import check_practice_file

from .lists import ELM, GOOD, HEADER, WIDTH, WRONG, epraccur, line, table


def read(content: bytes):
    return check_practice_file(io.BytesIO(content))


@pytest.mark.parametrize("name", WRONG)
def test_a_file_wrong_as_a_whole_is_refused_in_one_sentence(name):
    content, words = WRONG[name]
    with pytest.raises(Refused) as refusal:
        read(content)
    sentence = str(refusal.value)
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_welsh_letters_survive_every_unicode_encoding(encoding):
    source = read(table(HEADER, ["Z81001", "Meddygfa Tŷ Ŵyn", ""], encoding=encoding))
    assert [cells[1] for _, cells in source.lines()] == ["Meddygfa Tŷ Ŵyn"]


def test_windows_1252_is_read_when_the_file_is_not_utf_8():
    source = read(table(HEADER, ["Z81001", "Café – the “Elm” practice", ""], encoding="cp1252"))
    assert [cells[1] for _, cells in source.lines()] == ["Café – the “Elm” practice"]
    assert "Windows-1252" in source.described


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_both_layouts(delimiter):
    plain = read(table(HEADER, ELM, delimiter=delimiter))
    ods = read(epraccur(line(), delimiter=delimiter))
    assert [cells for _, cells in plain.lines()] == [ELM]
    assert [cells for _, cells in ods.lines()] == [line()]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_every_line_end_is_read_and_counted(end):
    source = read(GOOD.replace(b"\r\n", end))
    assert [number for number, _ in source.lines()] == [1, 2, 3]


def test_lines_are_numbered_as_an_editor_shows_them():
    content = b'\r\nods_code,name\r\n\r\nZ81001,"Elm\nTree"\r\n,,\r\nZ81002,Oak\r\n'
    source = read(content)
    assert [number for number, _ in source.lines()] == [4, 7]
    assert source.total == 2


def test_epraccur_is_known_by_its_27_columns_and_has_no_header():
    source = read(GOOD)
    assert source.layout.epraccur
    assert source.total == 3
    assert len(next(source.lines())[1]) == WIDTH


@pytest.mark.parametrize(
    "header", ["ODS Code,Practice Name", "organisation-code,Organisation name", "CODE, name "]
)
def test_header_names_are_tolerant(header):
    source = read(f"{header}\r\nZ81001,Elm\r\n".encode())
    assert source.layout.positions == {"ods_code": 0, "name": 1}


def test_columns_nobody_needs_are_named():
    source = read(table([*HEADER, "Fax", ""], [*ELM, "1", ""]))
    assert source.layout.unused == ["Fax"]


def test_the_file_stays_open_for_whoever_reads_it_next():
    file = io.BytesIO(GOOD)
    check_practice_file(file)
    assert not file.closed
    assert len(list(check_practice_file(file).lines())) == 3
