"""What a person meets when a form is wrong."""

from importlib import import_module

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile

from practices.common.fields import UKDateField
from practices.common.forms import NHSForm, PlainErrors

from .oracle import ours
from .pattern import EveryField

pytestmark = pytest.mark.urls("tests.nhsuk.pattern")


def test_every_error_names_its_field_and_says_what_to_do():
    form = EveryField({})
    assert {name: errors[0] for name, errors in form.errors.items()} == {
        "name": "Enter practice name",
        "email": "Enter email address",
        "patients": "Enter number of patients",
        "password": "Enter password",
        "system": "Select source system",
        "reason": "Enter reason",
        "target": "Select target system",
        "options": "Select what applies",
        "signed_on": "Enter contract signed",
        "go_live": "Enter planned go-live",
        "evidence": "Choose a file for evidence",
        "agreed": "Tick “I have read the statement”",
        "version": "Enter version",
    }


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("name", "x" * 41, "Practice name must be 40 characters or fewer, not 41"),
        ("email", "nobody", "Enter an email address in the correct format, like name@example.com"),
        ("patients", "many", "Number of patients must be a number, such as 12"),
        ("patients", "0", "Number of patients must be 1 or more"),
        ("target", "vision", "Choose target system from the list"),
    ],
)
def test_a_wrong_value_is_explained_and_kept(name, typed, sentence):
    form = EveryField({name: typed})
    assert form.errors[name] == [sentence]
    if name != "target":
        assert f'value="{typed}"' in ours("{% crispy form %}", form=form)


def test_a_message_of_the_fields_own_stays():
    class Move(NHSForm):
        reason = forms.CharField(error_messages={"required": "Enter why the date moves"})

    assert Move({}).errors["reason"] == ["Enter why the date moves"]


def test_an_empty_file_is_said_in_our_words():
    class Import(NHSForm):
        list = forms.FileField(label="List")

    form = Import({}, {"list": SimpleUploadedFile("list.csv", b"")})
    assert form.errors["list"] == ["This file is empty. Choose another one"]


def test_an_abbreviation_keeps_its_capitals():
    class Practice(NHSForm):
        code = forms.CharField(label="ODS code")

    assert Practice({}).errors["code"] == ["Enter ODS code"]


def test_a_form_that_is_not_ours_can_speak_plainly_too():
    class Foreign(forms.Form):
        name = forms.CharField()

    class Plain(PlainErrors, Foreign):
        pass

    assert Plain({}).errors["name"] == ["Enter name"]


def test_a_field_that_came_later_is_spoken_of_as_plainly():
    class Grows(NHSForm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.fields["late"] = forms.CharField(label="Late", max_length=3, min_length=2)

    assert Grows({}).errors["late"] == ["Enter late"]
    assert Grows({"late": "long"}).errors["late"] == ["Late must be 3 characters or fewer, not 4"]
    assert Grows({"late": "x"}).errors["late"] == ["Late must be 2 characters or more"]


def test_every_form_of_the_product_speaks_plainly():
    import_module("migration_tracker.urls")  # and with it every view and its forms

    def kinds(of):
        below = of.__subclasses__()
        return {of, *(kind for one in below for kind in kinds(one))}

    ours = {kind for kind in kinds(forms.BaseForm) if kind.__module__.startswith("practices.")}
    shown = [kind for kind in ours if not kind.__subclasses__()]
    assert len(shown) > 50
    assert [kind for kind in shown if not issubclass(kind, PlainErrors)] == []


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Planned go-live (optional)", "Planned go-live"),
        ("Why did it take longer?", "“Why did it take longer”"),
    ],
)
def test_a_label_within_a_sentence_loses_what_only_a_label_has(label, words):
    class Asks(NHSForm):
        text = forms.CharField(label=label, max_length=3, required=False)
        day = UKDateField(label=label, required=False)

    errors = Asks({"text": "long", "day_day": "1"}).errors
    assert errors["text"] == [f"{words} must be 3 characters or fewer, not 4"]
    assert errors["day"] == [f"{words} must include a month and year"]


def test_every_error_link_leads_to_an_element_of_the_page():
    form = EveryField({"version": "3", "signed_on_day": "6"})
    summary = ours("{% error_summary %}", form=form)
    html = ours("{% crispy form %}", form=form)
    links = [part.split('"')[0] for part in summary.split('href="#')[1:]]
    assert len(links) == 12
    for link in links:
        assert f'id="{link}"' in html


def test_a_form_that_was_not_sent_has_no_summary_and_no_prefix():
    assert "error-summary" not in ours("{% error_summary %}", form=EveryField())
    assert ours("{% error_prefix %}", form=EveryField()) == ""
    assert ours("{% error_prefix %}", form=EveryField({})) == "Error: "
    assert ours("{% error_prefix %}", errors=["Somebody else was first"]) == "Error: "


def test_a_formset_reports_the_errors_of_all_its_forms():
    class Contact(NHSForm):
        name = forms.CharField(label="Name")

    data = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "2", "form-1-name": "Ann"}
    summary = ours("{% error_summary %}", form=forms.formset_factory(Contact)(data))
    assert '<a href="#id_form-0-name">Enter name</a>' in summary
    assert "id_form-1-name" not in summary


def test_what_is_typed_cannot_become_markup():
    form = EveryField({"name": "<script>x</script>" * 9, "reason": "</textarea><script>"})
    html = ours("{% error_summary %}{% crispy form %}", form=form)
    assert "<script>" not in html
    card = ours("{% card name %}{{ name }}{% endcard %}", name="<b>x</b>")
    assert card.count("&lt;b&gt;x&lt;/b&gt;") == 2


def test_nothing_is_left_to_the_browser_to_judge_or_cut_off():
    html = ours("{% crispy form %}", form=EveryField())
    assert "<form  method" in html or "<form method" in html
    assert "novalidate" in html
    assert 'enctype="multipart/form-data"' in html
    for attribute in ("required", " maxlength", "placeholder", 'type="number"'):
        assert attribute not in html


def test_a_page_with_one_question_has_its_label_as_the_heading():
    class One(NHSForm):
        code = forms.CharField(label="What is the ODS code?")

        @property
        def helper(self):
            helper = super().helper
            helper.label_size, helper.label_is_heading = "l", True
            return helper

    html = ours("{% crispy form %}", form=One())
    assert '<h1 class="nhsuk-label-wrapper"><label class="nhsuk-label nhsuk-label--l"' in html
