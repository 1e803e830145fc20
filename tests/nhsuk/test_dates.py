"""Dates and times as people in the UK type them."""

from datetime import UTC, date, datetime

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from practices.common.fields import UKDateField, UKDateTimeField
from practices.common.forms import NHSForm

from .oracle import ours

pytestmark = pytest.mark.urls("tests.nhsuk.pattern")


class Dates(NHSForm):
    signed = UKDateField(label="Contract signed", required=False)
    go_live = UKDateTimeField(label="Go-live", required=False)


def signed(day="", month="", year="") -> Dates:
    return Dates({"signed_day": day, "signed_month": month, "signed_year": year})


def go_live(day="", month="", year="", at="", fold="") -> Dates:
    typed = {"day": day, "month": month, "year": year, "time": at, "fold": fold}
    return Dates({f"go_live_{part}": text for part, text in typed.items()})


def page(form: Dates) -> str:
    return ours("{% error_summary %}{% crispy form %}", form=form)


def test_a_date_is_read_with_and_without_leading_zeros_and_spaces():
    assert signed("6", " 02 ", "2027").is_valid()
    form = signed("06", "2", "2027")
    assert form.is_valid()
    assert form.cleaned_data["signed"] == date(2027, 2, 6)


def test_a_date_left_empty_is_none_when_it_may_be():
    form = signed()
    assert form.is_valid()
    assert form.cleaned_data["signed"] is None


@pytest.mark.parametrize(
    ("typed", "sentence", "marked"),
    [
        (("6", "", "2027"), "Contract signed must include a month", ["month"]),
        (("", "", "2027"), "Contract signed must include a day and month", ["day", "month"]),
        (("6", "Feb", "2027"), "Contract signed must be numbers, such as 6 2 2027", ["month"]),
        (("6", "2", "27"), "Contract signed must have a year of 4 numbers, such as 2027", ["year"]),
        (("31", "2", "2027"), "Contract signed must be a real date", ["day", "month", "year"]),
        (("١", "2", "2027"), "Contract signed must be numbers, such as 6 2 2027", ["day"]),
        (("6", "2", "0000"), "Contract signed must have a year from 2000 to 2100", ["year"]),
        (("31", "12", "9999"), "Contract signed must have a year from 2000 to 2100", ["year"]),
        (("99999999999", "1", "2027"), "Contract signed must be a real date", ["day"]),
        (("1", "9" * 5000, "2027"), "Contract signed must be a real date", ["month"]),
    ],
)
def test_a_wrong_date_gets_a_sentence_and_its_own_boxes_are_marked(typed, sentence, marked):
    form = signed(*typed)
    assert form.errors["signed"] == [sentence]
    html = page(form)
    assert f'<a href="#id_signed_{marked[0]}">{sentence}</a>' in html
    for part, text in zip(("day", "month", "year"), typed, strict=True):
        box = html.split(f'id="id_signed_{part}"')[0].rsplit("<input", 1)[1]
        assert ("nhsuk-input--error" in box) == (part in marked)
        if text:
            assert f'value="{text}"' in html


def test_a_date_and_time_out_of_all_bounds_is_refused_and_shown_again():
    for typed in (("99999999999", "1", "2027"), ("31", "12", "9999"), ("1", "1", "1999")):
        form = go_live(*typed, at="01:30")
        assert not form.is_valid()
        assert f'value="{typed[0]}"' in page(form)


@pytest.mark.parametrize("at", ["18:30", "18.30", "1830", " 18:30 "])
def test_a_time_is_read_as_it_is_written_here_and_kept_in_utc(at):
    form = go_live("6", "7", "2027", at)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["go_live"] == datetime(2027, 7, 6, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize("at", ["6:30pm", "24:00", "18:60", "18", "half six", "1:2:3:4:5"])
def test_a_time_that_is_none_is_refused_with_an_example(at):
    form = go_live("6", "7", "2027", at)
    assert form.errors["go_live"] == [
        "Go-live must have a time in the 24-hour clock, such as 18:30"
    ]
    assert 'href="#id_go_live_time"' in page(form)


def test_a_date_without_its_time_asks_for_the_time():
    assert go_live("6", "7", "2027").errors["go_live"] == [
        "Go-live must include a time, such as 18:30"
    ]


def test_the_hour_that_does_not_exist_in_march_is_refused():
    form = go_live("28", "3", "2027", "01:30")
    assert form.errors["go_live"] == [
        (
            "01:30 on 28 March 2027 does not exist: the clocks go forward at 1am. "
            "Enter a time before 01:00 or from 02:00."
        )
    ]
    assert go_live("28", "3", "2027", "00:59").is_valid()
    assert go_live("28", "3", "2027", "02:00").is_valid()


def test_the_doubled_hour_in_october_asks_which_and_takes_the_answer():
    form = go_live("31", "10", "2027", "01:30")
    assert form.errors["go_live"] == [
        (
            "01:30 on 31 October 2027 happens twice: the clocks go back at 2am. "
            "Select which one you mean."
        )
    ]
    html = page(form)
    assert 'href="#id_go_live_fold"' in html
    assert 'id="id_go_live_fold" name="go_live_fold" type="radio" value="0"' in html
    assert "First 01:30 (BST, before the clocks go back)" in html
    assert "Second 01:30 (GMT, after the clocks go back)" in html

    first = go_live("31", "10", "2027", "01:30", "0")
    second = go_live("31", "10", "2027", "01:30", "1")
    assert first.is_valid()
    assert second.is_valid()
    assert first.cleaned_data["go_live"] == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert second.cleaned_data["go_live"] == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_the_choice_stays_when_another_field_is_wrong_and_goes_when_the_time_changes():
    wrong = Dates({**go_live("31", "10", "2027", "01:30", "1").data, "signed_day": "6"})
    assert not wrong.is_valid()
    assert 'type="radio" value="1" checked' in page(wrong)
    assert "go_live_fold" not in page(go_live("31", "10", "2027", "03:00", "1"))


def test_a_kept_time_is_shown_on_a_london_clock_and_saved_again_unchanged():
    kept = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    html = page(Dates(initial={"go_live": kept}))
    assert 'value="01:30"' in html
    assert 'type="radio" value="1" checked' in html
    data = go_live("31", "10", "2027", "01:30", "1").data
    assert not Dates(data, initial={"go_live": kept}).has_changed()


def test_a_rule_of_the_form_marks_the_whole_date():
    form = signed("6", "2", "2027")
    assert form.is_valid()
    form.add_error("signed", forms.ValidationError("Too early"))
    html = page(form)
    assert '<a href="#id_signed_day">Too early</a>' in html
    assert html.count("nhsuk-input--error") == 3


@given(st.lists(st.text(max_size=12), min_size=5, max_size=5))
def test_whatever_is_typed_gets_a_date_or_a_sentence(typed):
    form = go_live(*typed)
    if form.is_valid():
        value = form.cleaned_data["go_live"]
        assert value is None or value.tzinfo is UTC
    else:
        assert form.errors["go_live"][0]
    assert page(form)
