"""The form that every room starts from: NHS markup, and errors that say what to do."""

from collections.abc import Iterator
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms

from .fields import in_a_sentence
from .layout import ButtonGroup, Link, Submit
from .patient_data import holds_nhs_number

CHECKED = "no_patient_data"


class PlainErrors(forms.BaseForm):
    """Mix in: replaces Django's default error messages by sentences that name the field.

    A message that a field declares for itself stays.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.say_plainly()

    def full_clean(self) -> None:
        # Again, because many forms add fields of their own once they are made.
        self.say_plainly()
        super().full_clean()

    def say_plainly(self) -> None:
        """Write the sentences."""
        for name, field in self.fields.items():
            label = in_a_sentence(str(field.label or name.replace("_", " ").capitalize()))
            defaults: dict[str, str] = {}
            for parent in reversed(type(field).__mro__):
                defaults |= getattr(parent, "default_error_messages", {})
            for code, sentence in _sentences(field, label).items():
                if str(field.error_messages.get(code)) == str(defaults.get(code)):
                    field.error_messages[code] = sentence


def _sentences(field: forms.Field, label: str) -> dict[str, str]:
    # "Email" becomes "email"; "ODS code" stays.
    what = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    verb = "Enter"
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        verb = "Select"
    elif isinstance(field, forms.FileField):
        verb = "Choose a file for"
    elif isinstance(field, forms.BooleanField):
        verb, what = "Tick", label if label.startswith("“") else f"“{label}”"
    sentences = {
        "required": f"{verb} {what}",
        "invalid_choice": f"Choose {what} from the list",
        "max_length": f"{label} must be %(limit_value)d characters or fewer, not %(show_value)d",
        "min_length": f"{label} must be %(limit_value)d characters or more",
        "min_value": f"{label} must be %(limit_value)s or more",
        "max_value": f"{label} must be %(limit_value)s or less",
    }
    if isinstance(field, forms.EmailField):
        sentences["invalid"] = "Enter an email address in the correct format, like name@example.com"
    elif isinstance(field, forms.FileField):
        sentences["empty"] = "This file is empty. Choose another one"
    elif isinstance(field, forms.IntegerField):
        sentences["invalid"] = f"{label} must be a number, such as 12"
    return sentences


class NHSForm(PlainErrors, forms.Form):
    """A form whose page is ``{% crispy form %}``: fields in order, then the button.

    ``submit_text`` is the button, ``cancel_url`` adds a cancel link. Override :meth:`layout`
    to group fields in fieldsets or to show other buttons.

    What looks like an NHS number is asked about before it is taken: the form comes back with
    a box to tick, because a reference of another kind can look like one.
    """

    submit_text = "Save and continue"
    cancel_url = ""

    def layout(self) -> list[Any]:
        """The parts of the form in order: field names and layout objects, buttons included."""
        return [*self.fields, self.buttons()]

    def buttons(self) -> ButtonGroup:
        links = [Link("Cancel", self.cancel_url)] if self.cancel_url else []
        return ButtonGroup(Submit(self.submit_text), *links)

    def typed(self) -> Iterator[tuple[str, str]]:
        """Each text somebody typed, with the name of its field."""
        for name, value in self.cleaned_data.items():
            if isinstance(value, str):
                # A line break in a box of one line is a space to whoever keeps it.
                lines = isinstance(self.fields[name].widget, forms.Textarea)
                yield name, value if lines else " ".join(value.split())

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        suspected = {name for name, text in self.typed() if holds_nhs_number(text)}
        if not suspected:
            return
        self.fields[CHECKED] = forms.BooleanField(
            label="I have checked: this is not an NHS number, and nothing in it is about a patient",
            required=False,
        )
        if not self[CHECKED].data:
            for name in sorted(suspected):
                self.add_error(name, self._question(name))

    def _question(self, name: str) -> str:
        what = in_a_sentence(str(self.fields[name].label)).strip("“”")
        return (
            f"“{what}” has a number in it that could be an NHS number. Take it out, or tick "
            "at the end of the form that it is not"
        )

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form = self
        parts = self.layout()
        if CHECKED in self.fields and CHECKED not in parts:
            parts.insert(-1, CHECKED)
        helper.layout = Layout(*parts)
        return helper
