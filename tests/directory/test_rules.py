"""What a line says, and who commissions a practice since when."""

from datetime import date

import pytest

from practices.directory.practice_file import EPRACCUR
from practices.directory.rules import (
    BadLine,
    Span,
    follow_commissioner,
    prescribing_setting,
    read_practice,
    readable,
)

from .lists import line


def ods(**cells):
    return read_practice(dict(zip(EPRACCUR, line(**cells), strict=True)), empty_means_none=True)


def plain(**cells):
    return read_practice({"ods_code": "Z81001", "name": "Elm"} | cells, empty_means_none=False)


def test_a_line_of_epraccur_says_everything_about_a_practice():
    record = ods(code="z81001", closed="20261031", status="C", left="20261031")
    assert record.code == "Z81001"
    assert record.organisation == {
        "name": "Elm Tree Surgery",
        "valid_from": date(1974, 4, 1),
        "valid_to": date(2026, 11, 1),
    }
    assert record.practice == {
        "prescribing_setting": 4,
        "address": "The Health Centre, 1 Elm Road, Elmton",
        "postcode": "ZZ1 1AA",
        "telephone": "01632 960001",
        "sub_icb_code": "91Q",
        "dormant": False,
    }
    assert (record.commissioner, record.joined) == ("QKS", date(2020, 4, 1))
    assert (record.ends, record.ends_said) == (date(2026, 11, 1), True)


def test_a_closing_date_is_the_last_day_the_practice_was_open():
    assert ods(closed="20261031", status="C").organisation["valid_to"] == date(2026, 11, 1)


def test_an_empty_cell_of_epraccur_says_that_there_is_nothing():
    assert ods(telephone="", closed="").practice["telephone"] == ""
    assert ods(closed="").organisation["valid_to"] is None


def test_an_empty_cell_of_a_plain_csv_says_nothing():
    record = plain(telephone="", closed="", postcode="", status="", list_size="", dispensing="")
    assert record.organisation == {"name": "Elm"}
    assert record.practice == {"prescribing_setting": 4}
    assert not record.ends_said


def test_dormant_and_proposed_practices_do_not_work_yet_are_not_closed():
    assert ods(status="D").practice["dormant"]
    assert ods(status="P").practice["dormant"]
    assert not ods(status="A").practice["dormant"]


def test_a_welsh_practice_is_commissioned_by_its_health_board():
    assert ods(code="W91001", icb="Q99", sub_icb="7A6").commissioner == "7A6"


def test_a_plain_csv_knows_dispensing_and_list_size():
    record = plain(dispensing="Yes", list_size="12,345")
    assert record.practice["dispensing"] is True
    assert record.practice["list_size"] == 12_345


@pytest.mark.parametrize("text", ["20260401", "2026-04-01", "01/04/2026", "1/4/2026", "1.4.2026"])
def test_dates_are_read_as_people_in_the_uk_write_them(text):
    assert plain(opened=text).organisation["valid_from"] == date(2026, 4, 1)


@pytest.mark.parametrize("code", ["Y00001", "A12345"])
def test_a_letter_and_five_digits_are_usual(code):
    assert not ods(code=code).unusual_code


@pytest.mark.parametrize("code", ["ABC", "K81003001", "8A123", "GP0123"])
def test_other_codes_are_allowed_but_noted(code):
    assert ods(code=code).unusual_code


def test_names_are_tidied_without_losing_letters():
    record = plain(name="  Meddygfa \u202eT\u0177\u202c \n Ysgol  ")
    assert record.organisation["name"] == "Meddygfa Tŷ Ysgol"


@pytest.mark.parametrize(
    ("ods", "shown"),
    [
        ("QUEENS PARK MEDICAL CENTRE", "Queens Park Medical Centre"),
        ("ST. GEORGE'S SURGERY", "St. George's Surgery"),
        ("DR JA SMITH & PARTNERS", "Dr JA Smith & Partners"),
        ("DRS O'NEILL AND MCDONALD", "Drs O'Neill and McDonald"),
        ("THE PRACTICE ON THE HILL", "The Practice on the Hill"),
        ("THE GREEN, THE STRAND, ELMTON", "The Green, The Strand, Elmton"),
        ("NHS GP HEALTH (APMS)", "NHS GP Health (APMS)"),
        ("23C CARLISLE RD,QUEENS PK", "23C Carlisle Rd,Queens PK"),
        ("TŶ ŴYN", "Tŷ Ŵyn"),
        ("STOW-ON-THE-WOLD (JA PATEL)", "Stow-on-the-Wold (JA Patel)"),
        ("Elm Tree SURGERY", "Elm Tree SURGERY"),
        ("", ""),
    ],
)
def test_names_in_capitals_become_readable(ods, shown):
    assert readable(ods) == shown
    assert readable(readable(ods)) == readable(ods)


BAD = {
    "no code": ({"ods_code": ""}, "ODS code"),
    "a code too short": ({"ods_code": "A1"}, "3 to 9 letters or digits"),
    "a code too long": ({"ods_code": "A123456789"}, "3 to 9 letters or digits"),
    "a code with a sign": ({"ods_code": "A1-345"}, "3 to 9 letters or digits"),
    "a formula as code": ({"ods_code": "=1+1"}, "3 to 9 letters or digits"),
    "a code that grows in upper case": ({"ods_code": "aß1"}, "3 to 9 letters or digits"),
    "no name": ({"name": " "}, "name is empty"),
    "a name of 201 letters": ({"name": "x" * 201}, "201 characters, and 200"),
    "an address of 301 letters": ({"address": "x" * 301}, "301 characters, and 300"),
    "a long postcode": ({"postcode": "x" * 11}, "11 characters, and 10"),
    "a long telephone number": ({"telephone": "1" * 31}, "31 characters, and 30"),
    "NUL in a name": ({"name": "Elm\x00Tree"}, "cannot be shown"),
    "a bell in the address": ({"address": "Elm\x07"}, "cannot be shown"),
    "31 February": ({"opened": "31/02/2026"}, "31/02/2026"),
    "the American order": ({"opened": "12/31/2026"}, "12/31/2026"),
    "an Excel serial number": ({"opened": "46113"}, "46113"),
    "a year of two digits": ({"opened": "01/04/26"}, "01/04/26"),
    "a date in words": ({"closed": "1 April 2026"}, "closed"),
    "the year 1066": ({"opened": "10661014"}, "10661014"),
    "the year 9999": ({"closed": "99991231"}, "99991231"),
    "closing before opening": ({"opened": "20260401", "closed": "20250401"}, "before it opens"),
    "leaving before joining": ({"joined": "20260401", "left": "20250401"}, "before it joins"),
    "an ICB in words": ({"icb": "Kent and Medway"}, "ICB code"),
    "a sub-ICB in words": ({"sub_icb": "Kent and Medway"}, "sub-ICB code"),
    "an unknown status": ({"status": "X"}, "status"),
    "closed without a date": ({"status": "C"}, "closing date is empty"),
    "a setting in words": ({"prescribing_setting": "GP"}, "prescribing setting"),
    "perhaps dispensing": ({"dispensing": "perhaps"}, "yes or no"),
    "a setting that never ends": ({"prescribing_setting": "4" * 5_000}, "prescribing setting"),
    "a setting of noughts": ({"prescribing_setting": "0" * 5_000}, "prescribing setting"),
    "patients that never end": ({"list_size": "9" * 5_000}, "list size"),
    "noughts of patients": ({"list_size": "0" * 5_000}, "list size"),
    "many patients": ({"list_size": "about 5000"}, "list size"),
    "minus one patient": ({"list_size": "-1"}, "list size"),
    "a billion patients": ({"list_size": "1000000000"}, "list size"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_rejects_its_line_with_a_reason(name):
    cells, words = BAD[name]
    with pytest.raises(BadLine, match=r"\w") as fault:
        plain(**cells)
    assert words in str(fault.value)
    assert len(str(fault.value)) < 200


def test_a_list_without_settings_is_one_of_gp_practices():
    assert prescribing_setting({"ods_code": "Z81001"}) == 4
    assert prescribing_setting({"prescribing_setting": "26"}) == 26


KENT, SUSSEX = 1, 2
TODAY = date(2026, 11, 22)


def follow(latest, commissioner, *, founded=None, **cells):
    return follow_commissioner(latest, commissioner, ods(**cells), founded=founded, today=TODAY)


def test_a_new_practice_is_with_its_commissioner_since_it_joined_or_the_board_began():
    assert follow(None, KENT, joined="20230401") == (None, Span(KENT, date(2023, 4, 1), None))
    began = date(2022, 7, 1)
    assert follow(None, KENT, joined="20200401", founded=began)[1] == Span(KENT, began, None)


def test_a_practice_that_closed_before_the_board_began_keeps_its_own_dates():
    closed = {"joined": "20130401", "left": "20171031", "closed": "20171031", "status": "C"}
    _, span = follow(None, KENT, founded=date(2022, 7, 1), **closed)
    assert span == Span(KENT, date(2013, 4, 1), date(2017, 11, 1))


def test_the_same_commissioner_again_changes_nothing():
    now = Span(KENT, date(2022, 7, 1), None)
    assert follow(now, KENT, joined="20200401") == (now, None)


def test_a_merger_dates_the_change_to_the_day_the_new_board_began():
    old = Span(SUSSEX, date(2022, 7, 1), None)
    merged = date(2026, 4, 1)
    assert follow(old, KENT, joined="20200401", founded=merged) == (
        Span(SUSSEX, date(2022, 7, 1), merged),
        Span(KENT, merged, None),
    )


def test_a_change_of_unknown_date_is_dated_to_the_import():
    old = Span(SUSSEX, date(2022, 7, 1), None)
    assert follow(old, KENT, joined="20200401") == (
        Span(SUSSEX, date(2022, 7, 1), TODAY),
        Span(KENT, TODAY, None),
    )


def test_a_closing_practice_ends_with_its_commissioner():
    old = Span(KENT, date(2022, 7, 1), None)
    closed = {"closed": "20261031", "left": "20261031", "status": "C"}
    assert follow(old, KENT, **closed) == (Span(KENT, date(2022, 7, 1), date(2026, 11, 1)), None)


def test_a_correction_of_what_is_over_rewrites_the_past_only():
    old = Span(SUSSEX, date(2013, 4, 1), date(2017, 11, 1))
    closed = {"joined": "20130401", "closed": "20171031", "left": "20171031", "status": "C"}
    assert follow(old, KENT, **closed) == (
        Span(KENT, date(2013, 4, 1), date(2017, 11, 1)),
        None,
    )


def test_spans_never_end_before_they_begin():
    late = Span(SUSSEX, TODAY, None)
    closed = {"closed": "20261031", "left": "20261031", "status": "C"}
    latest, new = follow(late, SUSSEX, **closed)
    assert latest is not None
    assert latest.valid_from <= latest.valid_to
    assert new is None
