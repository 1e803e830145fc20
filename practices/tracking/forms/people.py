"""Who runs a migration, its contacts, and the reasons for ending one."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit
from practices.directory.models import Organisation
from practices.tracking.services import ContactDetails

from .tasks import NO_PATIENTS

FEWEST_DIGITS = 3  # of an extension; 111 and 999 are numbers, too


class TelephoneField(forms.CharField):
    """A number to call, with whatever says who answers there ("ext. 4021, ask for Pat")."""

    def __init__(self, **kwargs: Any) -> None:
        width = forms.TextInput(attrs={"class": "nhsuk-input--width-20"})
        super().__init__(label="Telephone", max_length=30, required=False, widget=width, **kwargs)

    def clean(self, value: Any) -> str:
        number: str = super().clean(value)
        if number and sum(sign in "0123456789" for sign in number) < FEWEST_DIGITS:
            raise forms.ValidationError("Enter a telephone number, such as 01632 960001")
        return number


class ContactForm(NHSForm):
    submit_text = "Save contact"
    role = forms.ChoiceField(
        label="What they are in this migration",
        choices=[choice for choice in Owner.choices if choice[0] != Owner.ALL],
    )
    name = forms.CharField(
        label="Name", max_length=150, error_messages={"required": "Enter the contact's name"}
    )
    organisation = forms.CharField(label="Organisation (optional)", max_length=150, required=False)
    telephone = TelephoneField(help_text="Enter a telephone number, an email address or both.")
    email = forms.EmailField(label="Email address", required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not (cleaned.get("telephone") or cleaned.get("email")):
            self.add_error("telephone", "Enter a telephone number or an email address")
        return cleaned

    def details(self) -> ContactDetails:
        """What was typed, without the mark of what was seen."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        return ContactDetails(**typed)


class ProjectManagerForm(NHSForm):
    """``seen`` is the project manager whom the person saw."""

    submit_text = "Save project manager"
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    project_manager = forms.ModelChoiceField(
        label="Project manager", queryset=User.objects.none(), empty_label="Select"
    )

    def __init__(
        self, *args: Any, people: QuerySet[User], run_by: Organisation, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["project_manager"]
        field.queryset = people.order_by("name")
        field.help_text = (
            f"Everybody who is a project manager of {run_by} today. Others can be chosen once "
            "they have accepted an invitation to that role, on the page People."
        )


class EndForm(NHSForm):
    """Why a migration, or its cut-over, ends early; its button warns."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        help_text=f"It is kept in the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason"},
    )

    def buttons(self) -> ButtonGroup:
        return ButtonGroup(
            Submit(self.submit_text, variant="warning"), Link("Cancel", self.cancel_url)
        )


class CloseForm(NHSForm):
    """Nothing to fill in: the button is the confirmation."""
