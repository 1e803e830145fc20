"""Our markup is the design system's: an upgrade that changes it fails here."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.contrib.messages import INFO, SUCCESS
from django.contrib.messages.storage.base import Message
from django.core.paginator import Paginator
from django.test import RequestFactory

from practices.common.fields import UKDateField

from .oracle import lines, nhsuk, ours
from .pattern import CHOICES

STATES = ["normal", "hint", "error"]
ERROR = "Something is wrong"


def field_in(state: str, field: forms.Field, data: dict[str, str] | None = None) -> str:
    """The field, called "x" and labelled "Label", as the crispy pack writes it."""
    field.label = "Label"
    field.help_text = "" if state == "normal" else "A hint"
    form_class = type("OneField", (forms.Form,), {"x": field})
    form = form_class(data or {}) if state == "error" else form_class(initial=data or {})
    if state == "error":
        form.errors["x"] = form.error_class([ERROR])
    return ours("{{ form|crispy }}", form=form)


def told(state: str, **params: Any) -> dict[str, Any]:
    """The same for the oracle, with the ids that Django refers to."""
    if state != "normal":
        params["hint"] = {"text": "A hint", "id": "id_x_helptext"}
    if state == "error":
        params["errorMessage"] = {"text": ERROR, "id": "id_x_error"}
    return params


LABEL = {"text": "Label", "size": "s"}
LEGEND = {"legend": {"text": "Label", "size": "s"}}


@pytest.mark.parametrize("state", STATES)
class TestFields:
    def test_a_text_input(self, state):
        expected = nhsuk("input", **told(state, id="id_x", name="x", label=LABEL))
        assert lines(field_in(state, forms.CharField(max_length=9))) == lines(expected)

    def test_an_email_input(self, state):
        field = forms.EmailField(widget=forms.EmailInput({"autocomplete": "email"}))
        params = {"type": "email", "autocomplete": "email", "spellcheck": False}
        expected = nhsuk("input", **told(state, id="id_x", name="x", label=LABEL, **params))
        assert lines(field_in(state, field)) == lines(expected)

    def test_a_whole_number_of_a_given_width(self, state):
        field = forms.IntegerField(
            min_value=1, widget=forms.NumberInput({"class": "nhsuk-input--width-4"})
        )
        params = {"inputmode": "numeric", "width": 4}
        expected = nhsuk("input", **told(state, id="id_x", name="x", label=LABEL, **params))
        assert lines(field_in(state, field)) == lines(expected)

    def test_a_password(self, state):
        field = forms.CharField(widget=forms.PasswordInput({"autocomplete": "current-password"}))
        expected = nhsuk("password-input", **told(state, id="id_x", name="x", label=LABEL))
        assert lines(field_in(state, field)) == lines(expected)

    def test_a_textarea(self, state):
        field = forms.CharField(widget=forms.Textarea)
        expected = nhsuk("textarea", **told(state, id="id_x", name="x", label=LABEL))
        assert lines(field_in(state, field)) == lines(expected)

    def test_a_textarea_that_counts(self, state):
        field = forms.CharField(max_length=100, widget=forms.Textarea)
        params = {"maxlength": 100, "value": "Typed"}
        expected = nhsuk(
            "character-count", **told(state, id="id_x", name="x", label=LABEL, **params)
        )
        assert lines(field_in(state, field, {"x": "Typed"})) == lines(expected)

    def test_a_select(self, state):
        items = [{"value": v, "text": t, "selected": v == "tpp"} for v, t in CHOICES]
        expected = nhsuk("select", **told(state, id="id_x", name="x", label=LABEL, items=items))
        actual = field_in(state, forms.ChoiceField(choices=CHOICES), {"x": "tpp"})
        assert lines(actual) == lines(expected)

    def test_radios_with_a_hint_at_a_choice(self, state):
        field = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)
        field.choice_hints = {"tpp": "Hosted"}  # type: ignore[attr-defined]
        items = [
            {"value": "emis", "text": "EMIS Web", "id": "id_x"},
            {"value": "tpp", "text": "TPP SystmOne", "id": "id_x_1", "hint": {"text": "Hosted"}},
        ]
        expected = nhsuk(
            "radios",
            **told(state, idPrefix="id_x", name="x", fieldset=LEGEND, items=items, value="tpp"),
        )
        assert lines(field_in(state, field, {"x": "tpp"})) == lines(expected)

    def test_checkboxes(self, state):
        field = forms.MultipleChoiceField(choices=CHOICES, widget=forms.CheckboxSelectMultiple)
        items = [
            {"value": "emis", "text": "EMIS Web", "id": "id_x"},
            {"value": "tpp", "text": "TPP SystmOne", "id": "id_x_1"},
        ]
        expected = nhsuk(
            "checkboxes", **told(state, idPrefix="id_x", name="x", fieldset=LEGEND, items=items)
        )
        assert lines(field_in(state, field)) == lines(expected)

    def test_a_single_checkbox(self, state):
        items = [{"value": "v", "text": "Label", "id": "id_x"}]
        expected = nhsuk("checkboxes", **told(state, idPrefix="id_x", name="x", items=items))
        # A browser posts "on" for a checkbox without a value, which is what Django writes.
        expected = expected.replace('value="v"', "")
        assert lines(field_in(state, forms.BooleanField())) == lines(expected)

    def test_a_file_without_the_drop_zone(self, state):
        expected = nhsuk("file-upload", **told(state, id="id_x", name="x", label=LABEL))
        expected = expected.replace('data-module="nhsuk-file-upload"', "")
        assert lines(field_in(state, forms.FileField())) == lines(expected)

    def test_a_date(self, state):
        items = [
            {"name": f"x_{part}", "id": f"id_x_{part}", "label": part.capitalize(), "width": width}
            for part, width in (("day", 2), ("month", 2), ("year", 4))
        ]
        expected = nhsuk("date-input", **told(state, id="id_x", fieldset=LEGEND, items=items))
        assert lines(field_in(state, UKDateField())) == lines(expected)


PAGE = Paginator(range(400), 20).page(4)
AT = datetime(2026, 2, 6, 18, 30, tzinfo=UTC)


def test_an_error_summary_leads_to_the_fields():
    errors = [{"text": "Enter a name", "href": "#id_name"}, {"text": "Too late"}]
    expected = nhsuk("error-summary", titleText="There is a problem", errorList=errors)
    context = {"errors": [("Enter a name", "#id_name"), "Too late"]}
    assert lines(ours("{% error_summary %}", **context)) == lines(expected)


@pytest.mark.parametrize(
    ("source", "component", "params"),
    [
        ("{% tag 'Late' 'red' %}", "tag", {"text": "Late", "colour": "red"}),
        ("{% tag 'Late' %}", "tag", {"text": "Late"}),
        (
            "{% breadcrumb 'Home' '/' 'Riverside' '/r/' %}",
            "breadcrumb",
            {"items": [{"text": "Home", "href": "/"}, {"text": "Riverside", "href": "/r/"}]},
        ),
        (
            (
                "{% task_list %}"
                "{% task_list_item 'A' '/a/' id='t-1' status='Late' colour='red' hint='Due' %}"
                "{% task_list_item 'B' '/b/' id='t-2' status='Complete' %}"
                "{% task_list_item 'C' id='t-3' status='Waiting' colour='grey' %}"
                "{% endtask_list %}"
            ),
            "task-list",
            {
                "idPrefix": "t",
                "items": [
                    {
                        "title": {"text": "A"},
                        "href": "/a/",
                        "hint": {"text": "Due"},
                        "status": {"tag": {"text": "Late", "colour": "red"}},
                    },
                    {
                        "title": {"text": "B"},
                        "href": "/b/",
                        "status": {
                            "text": "Complete",
                            "classes": "nhsuk-task-list__status--completed",
                        },
                    },
                    {
                        "title": {"text": "C"},
                        "status": {"tag": {"text": "Waiting", "colour": "grey"}},
                    },
                ],
            },
        ),
        (
            (
                "{% summary_list %}{% row 'Due' url='/c/' about='due date' %}Today{% endrow %}"
                "{% row 'Owner' %}Ann{% endrow %}{% endsummary_list %}"
            ),
            "summary-list",
            {
                "rows": [
                    {
                        "key": {"text": "Due"},
                        "value": {"text": "Today"},
                        "actions": {
                            "items": [
                                {"href": "/c/", "text": "Change", "visuallyHiddenText": "due date"}
                            ]
                        },
                    },
                    {"key": {"text": "Owner"}, "value": {"text": "Ann"}},
                ]
            },
        ),
        (
            "{% card 'Late' '/late/' size='m' level=3 %}<p>2</p>{% endcard %}",
            "card",
            {
                "heading": {"text": "Late", "size": "m", "level": 3},
                "href": "/late/",
                "clickable": True,
                "descriptionHtml": "<p>2</p>",
            },
        ),
        (
            "{% card 'People' variant='feature' %}<p>2</p>{% endcard %}",
            "card",
            {"heading": "People", "variant": "feature", "descriptionHtml": "<p>2</p>"},
        ),
        (
            "{% warning_callout 'Late' level=3 %}<p>2</p>{% endwarning_callout %}",
            "warning-callout",
            {"heading": "Late", "html": "<p>2</p>"},
        ),
        ("{% inset_text %}<p>i</p>{% endinset_text %}", "inset-text", {"html": "<p>i</p>"}),
        (
            "{% details 'Why' %}<p>So</p>{% enddetails %}",
            "details",
            {"summaryText": "Why", "html": "<p>So</p>"},
        ),
        (
            "{% panel 'Signed off' %}<p>R</p>{% endpanel %}",
            "panel",
            {"titleText": "Signed off", "html": "<p>R</p>"},
        ),
        ("{% action_link 'Start' '/s/' %}", "action-link", {"text": "Start", "href": "/s/"}),
        (
            "{% link_button 'Start' '/s/' 'secondary' %}",
            "button",
            {"text": "Start", "href": "/s/", "variant": "secondary"},
        ),
        (
            (
                "{% include 'nhsuk/layout/submit.html' with text='Go' name='n' value='v' "
                "variant='warning' %}"
            ),
            "button",
            {
                "text": "Go",
                "name": "n",
                "value": "v",
                "variant": "warning",
                "preventDoubleClick": True,
            },
        ),
        (
            "{% pagination page %}",
            "pagination",
            {
                "previous": {"href": "?page=3"},
                "next": {"href": "?page=5"},
                "items": [
                    {"number": 1, "href": "?page=1"},
                    {"number": 2, "href": "?page=2"},
                    {"number": 3, "href": "?page=3"},
                    {"number": 4, "href": "?page=4", "current": True},
                    {"number": 5, "href": "?page=5"},
                    {"ellipsis": True},
                    {"number": 20, "href": "?page=20"},
                ],
            },
        ),
        (
            "{% include 'layouts/footer.html' %}",
            "footer",
            {
                "meta": {
                    "items": [
                        {"href": "/accessibility/", "text": "Accessibility statement"},
                        {"href": "/privacy/", "text": "Privacy"},
                        {"href": "/cookies/", "text": "Cookies"},
                    ]
                }
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "{" not in value else "",
)
@pytest.mark.urls("tests.nhsuk.pattern")
def test_a_component_is_the_design_systems(source, component, params):
    request = RequestFactory().get("/")
    expected = nhsuk(component, **params)
    expected = expected.replace('<p class="nhsuk-body-s">© NHS England</p>', "")
    assert lines(ours(source, request, page=PAGE)) == lines(expected)


def test_a_button_form_posts_with_a_token_and_holds_the_design_systems_button():
    html = ours(
        "{% button_form 'Done' '/done/' small=True about='CUT-16' target='#t' %}"
        "<input type='hidden' name='version' value='3'>{% endbutton_form %}",
        csrf_token="abc",
    )
    button = nhsuk("button", text="Done", small=True, preventDoubleClick=True)
    written = lines(html)
    assert written[0] == (
        "<form action=/done/ class=app-button-form hx-post=/done/ hx-swap=outerHTML "
        "hx-sync=this:drop hx-target=#t method=post novalidate="
    )
    assert "  <input name=csrfmiddlewaretoken type=hidden value=abc" in written
    assert "  <input name=version type=hidden value=3" in written
    assert ["  " + line for line in lines(button)] == written[3:5]


def test_a_responsive_table_head_sorts_by_address():
    html = ours(
        "<table><thead><tr>{% sort_header 'Late' 'late' numeric=True %}</tr></thead></table>",
        RequestFactory().get("/?sort=late&show=mine&page=3"),
    )
    assert "aria-sort=ascending" in " ".join(lines(html))
    assert "href=?sort=-late&show=mine" in " ".join(lines(html))


def test_a_cell_repeats_its_column_on_a_phone():
    params = {
        "responsive": True,
        "firstCellIsHeader": True,
        "head": [{"text": "Name"}, {"text": "Late", "format": "numeric"}],
        "rows": [[{"html": "<b>R</b>"}, {"html": "<b>2</b>"}]],
    }
    cells = (
        "{% cell 'Name' header=True %}<b>R</b>{% endcell %}"
        "{% cell 'Late' numeric=True %}<b>2</b>{% endcell %}"
    )
    body = '<tbody class="nhsuk-table__body"><tr class="nhsuk-table__row" role="row">'
    expected = nhsuk("tables", **params)
    expected = expected[expected.index("<tbody") : expected.index("</table")]
    assert lines(body + ours(cells) + "</tr></tbody>") == lines(expected)


def test_the_header_names_service_person_and_pages():
    expected = nhsuk(
        "header",
        service={"text": "Migration Tracker", "href": "/"},
        navigation={
            "items": [
                {"href": "/a/", "text": "A", "active": True},
                {"href": "/b/", "text": "B"},
            ]
        },
    )
    items = [
        {"url": "/a/", "text": "A", "current": True},
        {"url": "/b/", "text": "B", "current": False},
    ]
    assert lines(ours("{% include 'layouts/header.html' %}", nav_items=items)) == lines(expected)


@pytest.mark.parametrize("variant", ["success", "info"])
def test_a_message_is_a_notification_banner(variant):
    params = {"variant": "success"} if variant == "success" else {}
    expected = nhsuk(
        "notification-banner", text="Saved", titleId="nhsuk-notification-banner-title-1", **params
    )
    message = Message({"success": SUCCESS, "info": INFO}[variant], "Saved")
    html = ours("{% include 'components/messages.html' %}", messages=[message])
    assert lines(html) == lines(expected)


def test_what_is_said_twice_before_a_page_is_shown_stands_there_once():
    said = [Message(SUCCESS, "Saved"), Message(INFO, "Saved"), Message(SUCCESS, "Saved")]
    html = ours("{% include 'components/messages.html' %}", messages=said)
    assert html.count("Saved") == 2
    assert html.count("nhsuk-notification-banner--success") == 1
