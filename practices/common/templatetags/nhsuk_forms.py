"""What the crispy template pack (templates/nhsuk/) and the page layout need to know of a form."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.forms.formsets import BaseFormSet
from django.template.context import Context
from django.utils.safestring import SafeString

from practices.common.fields import UKDateTimeField, UKDateWidget

register = template.Library()

# The first widget class that fits decides; anything else is a plain input.
TEMPLATES: list[tuple[type[forms.Widget], str]] = [
    (UKDateWidget, "date"),
    (forms.CheckboxSelectMultiple, "choices"),
    (forms.RadioSelect, "choices"),
    (forms.CheckboxInput, "checkbox"),
    (forms.FileInput, "file"),
    (forms.PasswordInput, "password"),
    (forms.Textarea, "textarea"),
    (forms.Select, "select"),
]

WIDTHS = {"day": 2, "month": 2, "year": 4, "time": 5}


@register.filter
def field_template(field: BoundField) -> str:
    """The template of the pack that writes this field."""
    for widget, name in TEMPLATES:
        if isinstance(field.field.widget, widget):
            return f"nhsuk/fields/{name}.html"
    return "nhsuk/fields/input.html"


@register.simple_tag
def control(field: BoundField, css_class: str, also: str = "", **attrs: Any) -> SafeString:
    """The input element itself, with the design system's classes added to the widget's own.

    Left out, as the design system does: ``required`` (the server says it, in a sentence),
    ``maxlength`` (it would cut off pasted text without a word), number spinners and placeholders.
    """
    widget = field.field.widget
    error = f"{css_class}--error" if field.errors and "__" not in css_class else ""
    described = [attrs.pop("described_first", ""), field.aria_describedby]
    attrs |= {
        "id": field.auto_id,
        "class": " ".join(filter(None, [css_class, error, also, widget.attrs.get("class", "")])),
        "aria-describedby": " ".join(filter(None, described)) or False,
        "disabled": field.field.disabled,
    }
    attrs |= dict.fromkeys(("maxlength", "minlength", "placeholder", "min", "max", "step"), False)
    if isinstance(widget, forms.NumberInput):
        widget.input_type = "text"
        attrs["inputmode"] = "decimal" if isinstance(field.field, forms.DecimalField) else "numeric"
    if isinstance(widget, forms.EmailInput):
        attrs["spellcheck"] = "false"
    if isinstance(widget, forms.ClearableFileInput):
        # Nothing uploaded is shown or cleared inside a form here.
        widget.template_name = forms.FileInput.template_name
    return widget.render(field.html_name, field.value(), attrs, field.form.renderer)


@register.filter
def choices_class(field: BoundField) -> str:
    """The component that writes a choice of several, or of one."""
    several = isinstance(field.field.widget, forms.CheckboxSelectMultiple)
    return "nhsuk-checkboxes" if several else "nhsuk-radios"


@register.simple_tag
def choices(field: BoundField) -> list[dict[str, Any]]:
    """Radios or checkboxes. The first carries the field's id: the error summary leads to it."""
    hints = getattr(field.field, "choice_hints", {})
    first = field.id_for_label or field.auto_id
    items = []
    for number, choice in enumerate(field.subwidgets):
        data = choice.data
        items.append(
            {
                "id": f"{first}_{number}" if number else first,
                "name": data["name"],
                "value": data["value"],
                "label": data["label"],
                "checked": data["selected"],
                "type": data["type"],
                "hint": hints.get(str(data["value"]), ""),
            }
        )
    return items


@register.simple_tag
def date_parts(field: BoundField) -> list[dict[str, Any]]:
    """The boxes of a date, each with its own id, value and whether the error is about it."""
    widget = field.field.widget
    wrong = _wrong_parts(field)
    return [
        {
            "id": f"{field.auto_id}_{part}",
            "name": f"{field.html_name}_{part}",
            "label": part.capitalize(),
            "value": text,
            "width": WIDTHS[part],
            # A colon is not on every numeric keypad.
            "inputmode": "text" if part == "time" else "numeric",
            "error": part in wrong,
        }
        for part, text in zip(widget.parts, _typed(field), strict=False)
        if part != "fold"
    ]


def _typed(field: BoundField) -> Sequence[str]:
    value = field.value()
    typed: Sequence[str] = (
        value if isinstance(value, list | tuple) else field.field.widget.decompress(value)
    )
    return typed


@register.simple_tag
def doubled_hour(field: BoundField) -> dict[str, Any] | None:
    """The choice between the two, when the typed time is one that happens twice."""
    if not isinstance(field.field, UKDateTimeField):
        return None
    typed = _typed(field)
    if not (at := field.field.doubled_time(typed)):
        return None
    return {
        "id": f"{field.auto_id}_fold",
        "name": f"{field.html_name}_fold",
        "choices": [
            ("0", f"First {at:%H:%M} (BST, before the clocks go back)"),
            ("1", f"Second {at:%H:%M} (GMT, after the clocks go back)"),
        ],
        "chosen": typed[4],
    }


@register.simple_tag(takes_context=True)
def error_prefix(context: Context) -> str:
    """ "Error: " for the page title when something on the page has to be put right."""
    return "Error: " if any(True for _ in _errors(context)) else ""


@register.inclusion_tag("components/error_summary.html", takes_context=True)
def error_summary(context: Context) -> dict[str, Any]:
    """Every error of ``form`` and ``errors`` in the context, each leading to its field."""
    return {"errors": list(_errors(context))}


def _errors(context: Context) -> Iterator[tuple[str, str]]:
    for error in context.get("errors") or ():
        yield (error, "") if isinstance(error, str) else (error[0], error[1])
    form = context.get("form")
    if isinstance(form, BaseFormSet):
        if form.is_bound:
            yield from ((str(error), "") for error in form.non_form_errors())
            for one in form.forms:
                yield from _form_errors(one)
    elif isinstance(form, forms.BaseForm):
        yield from _form_errors(form)


def _form_errors(form: forms.BaseForm) -> Iterator[tuple[str, str]]:
    if not form.is_bound or not form.errors:
        return
    yield from ((str(error), "") for error in form.non_field_errors())
    for field in form:
        for error in field.errors:
            yield str(error), "" if field.is_hidden else f"#{_first_control(field)}"


def _first_control(field: BoundField) -> str:
    """The id of the box that an error is about, or of the first one."""
    if isinstance(field.field.widget, UKDateWidget):
        wrong = _wrong_parts(field)
        return f"{field.auto_id}_{next(part for part in field.field.widget.parts if part in wrong)}"
    return field.auto_id


def _wrong_parts(field: BoundField) -> set[str]:
    parts = set(field.field.widget.parts)
    named = {
        part
        for error in field.form.errors.get(field.name, forms.utils.ErrorList()).as_data()
        for part in (error.code or "").split()
    }
    # An error that names no part (a rule of the form's own) is about the whole date.
    return (named & parts) or (parts - {"fold"} if field.errors else set())
