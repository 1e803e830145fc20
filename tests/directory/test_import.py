"""The import of a practice list into the database."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.common.models import Event
from practices.directory.models import CommissionerLink, Organisation, Practice
from practices.directory.practice_file import check_practice_file
from practices.directory.services import (
    ask_for_import,
    import_practices,
    load_reference_data,
    run_import,
)
from tests import factories

from .lists import ELM, HEADER, WRONG, epraccur, line, many, table

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "epraccur-2025-05.csv"


def bring_in(content: bytes, **how):
    rejected: list[tuple[int, str]] = []
    report = import_practices(
        source=check_practice_file(io.BytesIO(content)),
        by=None,
        at=AT,
        reject=lambda number, _cells, reason: rejected.append((number, reason)),
        **how,
    )
    assert [(number, reason) for number, _, reason in report.rejections] == rejected[:50]
    return report


def counts(report):
    return report.created, report.updated, report.unchanged, report.rejected


def practice(code: str) -> Practice:
    return Practice.objects.select_related("organisation").get(organisation__code=code)


def spans(code: str):
    links = CommissionerLink.objects.filter(practice__organisation__code=code).order_by(
        "valid_from"
    )
    return [(link.commissioner.code, link.valid_from, link.valid_to) for link in links]


def history() -> int:
    """How many rows the row history of the three tables holds."""
    names = ("OrganisationEvent", "PracticeEvent", "CommissionerLinkEvent")
    return sum(apps.get_model("directory", name).objects.count() for name in names)


def test_a_practice_is_created_with_address_dates_and_commissioner():
    report = bring_in(epraccur(line(code="Z81001")))
    elm = practice("Z81001")
    assert counts(report) == (1, 0, 0, 0)
    assert elm.organisation.name == "Elm Tree Surgery"
    assert elm.organisation.kind == Organisation.Kind.PRACTICE
    assert (elm.address, elm.postcode) == ("The Health Centre, 1 Elm Road, Elmton", "ZZ1 1AA")
    assert elm.sub_icb_code == "91Q"
    assert spans("Z81001") == [("QKS", date(2020, 4, 1), None)]


def test_an_unknown_commissioner_is_made_under_its_code_and_reported():
    report = bring_in(epraccur(line(icb="QZZ"), line("Z81002", icb="QZZ")))
    assert report.new_commissioners == ["QZZ"]
    board = Organisation.objects.get(code="QZZ")
    assert (board.kind, board.name) == (Organisation.Kind.COMMISSIONER, "QZZ")


def test_what_no_database_keeps_is_replaced_in_the_report():
    content = table(
        [*HEADER, "old\x00code", "prescribing_setting"],
        [*ELM, "x", ""],
        ["Z\x0081002", "Oak", "ZZ1 1AA", "x", ""],
        ["Z81003", "Ash", "ZZ1 1AA", "x", "\x00"],
        *([f"Z82{n:03}", "Birch Tree Surgery", "ZZ1 1AA", "x", ""] for n in range(20)),
    )
    asked = {"upload": ContentFile(content, "list.csv"), "all_settings": False}
    job = ask_for_import(**asked, by=factories.make_person(Role.ADMINISTRATOR), at=AT)
    job.result = run_import(job=job, at=AT, progress=lambda *_: None)
    job.save()
    job.refresh_from_db()
    assert job.result["unused_columns"] == ["old\ufffdcode"]
    assert [first for _, first, _ in job.result["rejections"]] == ["Z\ufffd81002", "Z81003"]
    assert "\x00" not in str(job.result)
    assert practice("Z81001")


def test_a_known_commissioner_gives_its_name_and_its_beginning():
    load_reference_data(at=AT)
    report = bring_in(epraccur(line(icb="QKS")))
    assert report.new_commissioners == []
    assert str(practice("Z81001").commissioner) == "NHS Kent and Medway ICB"
    assert spans("Z81001") == [("QKS", date(2022, 7, 1), None)]


def test_the_second_run_of_the_same_file_writes_no_row():
    content = epraccur(*many(30), line("Z81001", closed="20201231", left="20201231", status="C"))
    bring_in(content)
    before = history()
    report = bring_in(content)
    assert counts(report) == (0, 0, 31, 0)
    assert report.closed == 1
    assert history() == before


def test_only_what_differs_is_updated():
    bring_in(epraccur(*many(30)))
    before = history()
    lines = many(30)
    lines[7] = line("Z80007", "SURGERY 7", telephone="01632 960999")
    report = bring_in(epraccur(*lines))
    assert counts(report) == (0, 1, 29, 0)
    assert practice("Z80007").telephone == "01632 960999"
    assert history() == before + 1


def test_a_practice_that_closes_and_reopens():
    bring_in(epraccur(line()))
    bring_in(epraccur(line(closed="20261031", left="20261031", status="C")))
    assert practice("Z81001").organisation.valid_to == date(2026, 11, 1)
    assert not Practice.objects.open_on(date(2026, 11, 1)).exists()
    assert Practice.objects.open_on(date(2026, 10, 31)).exists()
    assert spans("Z81001") == [("QKS", date(2020, 4, 1), date(2026, 11, 1))]
    assert counts(bring_in(epraccur(line()))) == (0, 1, 0, 0)
    assert spans("Z81001") == [("QKS", date(2020, 4, 1), None)]


def test_a_practice_that_changes_its_commissioner_keeps_the_old_link():
    load_reference_data(at=AT)
    bring_in(epraccur(line(icb="QNX", joined="20200401")))
    report = bring_in(epraccur(line(icb="S9B9J", joined="20200401")))
    assert counts(report) == (0, 1, 0, 0)
    assert spans("Z81001") == [
        ("QNX", date(2022, 7, 1), date(2026, 4, 1)),
        ("S9B9J", date(2026, 4, 1), None),
    ]
    assert str(practice("Z81001").commissioner) == "NHS Surrey and Sussex ICB"


def test_practices_left_with_a_closed_commissioner_are_counted():
    load_reference_data(at=AT)
    gone = {"closed": "20250101", "left": "20250101", "status": "C"}
    report = bring_in(epraccur(line(icb="QNX"), line("Z81002", icb="QNX", **gone)))
    assert report.commissioner_closed == 1


def test_dormant_practices_come_in_but_are_not_open():
    report = bring_in(epraccur(line(status="D")))
    assert report.closed == 1
    assert not Practice.objects.open_on(date(2026, 11, 22)).exists()


def test_other_prescribing_settings_are_left_out_unless_asked_for():
    content = epraccur(line(), line("Z81002", prescribing_setting="8"))
    assert bring_in(content).skipped == 1
    report = bring_in(content, all_settings=True)
    assert counts(report) == (1, 0, 1, 0)
    assert practice("Z81002").prescribing_setting == 8


def test_a_bad_line_does_not_stop_the_good_ones():
    report = bring_in(
        epraccur(
            line("Z81001"),
            line("Z81002", opened="31/02/2026"),
            line("Z81003")[:-1],
            line("", "NO CODE"),
            line("Z81004"),
        )
    )
    assert counts(report) == (2, 0, 0, 3)
    assert [number for number, _, _ in report.rejections] == [2, 3, 4]
    assert "31/02/2026" in report.rejections[0][2]
    assert report.rejections[1][2] == "it has 26 cells and should have 27"


def test_the_second_line_of_a_code_is_rejected_and_names_the_first():
    report = bring_in(epraccur(line(name="FIRST"), line("Z81002"), line(name="SECOND")))
    assert counts(report) == (2, 0, 0, 1)
    assert report.rejections == [(3, "Z81001", "Z81001 stands on line 1 already")]
    assert practice("Z81001").organisation.name == "First"


def test_a_code_that_is_something_else_here_is_rejected():
    supplier = factories.make_organisation(Organisation.Kind.SUPPLIER, code="Z81001")
    report = bring_in(epraccur(line("Z81001"), line("Z81002", icb="Z81001")))
    assert counts(report) == (0, 0, 0, 2)
    supplier.refresh_from_db()
    assert supplier.kind == Organisation.Kind.SUPPLIER


def test_closing_before_the_known_opening_rejects_the_line_only():
    bring_in(table([*HEADER, "opened"], [*ELM, "2020-01-01"]))
    report = bring_in(table([*HEADER, "closed"], [*ELM, "2019-01-01"], ["Z81002", "Oak", "", ""]))
    assert counts(report) == (1, 0, 0, 1)


def test_unusual_codes_are_imported_and_noted():
    report = bring_in(epraccur(line("Z81001"), line("GP0123")))
    assert counts(report) == (2, 0, 0, 0)
    assert (report.unusual, report.unusual_codes) == (1, [(2, "GP0123")])


def test_a_plain_csv_leaves_alone_what_it_does_not_say():
    bring_in(epraccur(line()))
    report = bring_in(
        table(
            ["name", "Practice code", "list size", "dispensing", "telephone"],
            ["Elm Tree Surgery", "z81001", "12,345", "no", ""],
        )
    )
    elm = practice("Z81001")
    assert counts(report) == (0, 1, 0, 0)
    assert (elm.list_size, elm.dispensing) == (12_345, False)
    assert elm.telephone == "01632 960001"
    assert spans("Z81001") == [("QKS", date(2020, 4, 1), None)]


def test_an_import_leaves_one_event_with_its_numbers():
    person = factories.make_person()
    import_practices(
        source=check_practice_file(io.BytesIO(epraccur(line(), line()))), by=person, at=AT
    )
    event = Event.objects.get(kind="practices.imported")
    assert (event.by, event.at, event.stream) == (person, AT, "site")
    assert event.data == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "skipped": 0,
        "all_settings": False,
    }


def test_the_number_of_queries_does_not_grow_with_the_lines():
    bring_in(epraccur(*many(900)))
    changed = [[*cells[:17], "01632 960999", *cells[18:]] for cells in many(900)]
    with CaptureQueriesContext(connection) as few:
        bring_in(epraccur(*changed[:10]))
    with CaptureQueriesContext(connection) as lots:
        bring_in(epraccur(*changed))
    assert len(lots) <= len(few) + 2
    assert len(lots) < 25


def test_progress_is_told_in_lines():
    told = []
    bring_in(epraccur(*many(2100)), progress=lambda done, total: told.append((done, total)))
    assert told == [(1000, 2100), (2000, 2100), (2100, 2100)]


@pytest.mark.parametrize("name", WRONG)
def test_a_file_wrong_as_a_whole_changes_nothing(name, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(WRONG[name][0])
    with pytest.raises(CommandError) as refusal:
        call_command("import_practices", str(file), stdout=io.StringIO())
    assert str(refusal.value).endswith(".")
    assert not Organisation.objects.exists()
    assert not Event.objects.exists()


def test_the_command_reports_and_keeps_the_rejected_lines(tmp_path):
    file, rejected, out = tmp_path / "list.csv", tmp_path / "rejected.csv", io.StringIO()
    file.write_bytes(epraccur(line(), line("Z81002", name="=HYPERLINK(1)", opened="x")))
    call_command("import_practices", str(file), rejected=rejected, stdout=out)
    assert "1 created, 0 updated, 0 unchanged, 1 rejected." in out.getvalue()
    assert "2 of 2 lines" in out.getvalue()
    assert "Line 2 (Z81002): the date “x” in opened" in out.getvalue()
    lines = rejected.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith('"line","reason","ods_code","name"')
    assert '"\'=HYPERLINK(1)"' in lines[1]
    call_command("import_practices", str(file), stdout=out)
    assert "Nothing was changed." in out.getvalue()


def test_the_command_says_when_there_is_no_such_file(tmp_path):
    with pytest.raises(CommandError, match=r"No such file"):
        call_command("import_practices", str(tmp_path / "none.csv"))


def test_mended_rejected_lines_can_be_imported(tmp_path):
    file, rejected = tmp_path / "list.csv", tmp_path / "rejected.csv"
    file.write_bytes(epraccur(line(opened="19740431"), line("Z81002", prescribing_setting="x")))
    call_command("import_practices", str(file), rejected=rejected, stdout=io.StringIO())
    mended = rejected.read_bytes().replace(b"19740431", b"19740430").replace(b'"x"', b'"4"')
    assert counts(bring_in(mended)) == (2, 0, 0, 0)


@pytest.mark.skipif(not REAL.exists(), reason="the ODS file is not beside the repository")
def test_the_real_file_comes_in_whole_and_only_once():
    load_reference_data(at=AT)
    report = bring_in(REAL.read_bytes())
    assert counts(report) == (8654, 0, 0, 0)
    assert report.skipped == 16_534 - 8654
    is_open = Practice.objects.open_on(date(2025, 5, 31))
    assert is_open.count() == 6651
    assert is_open.filter(organisation__code__startswith="W").count() == 398
    boards = Organisation.objects.filter(
        practice_links__practice__in=is_open, practice_links__valid_to=None
    ).distinct()
    assert not boards.filter(name__regex=r"^[A-Z0-9]{3}$").exists()
    assert boards.count() == 42 + 7
    assert counts(bring_in(REAL.read_bytes())) == (0, 0, 8654, 0)
