"""What people type about clocks that ran over, and about access to the old system."""

from datetime import date
from typing import Any

from crispy_forms.layout import Fieldset
from django import forms

from practices.accounts.roles import Owner
from practices.common.fields import UKDateField
from practices.common.forms import NHSForm
from practices.common.templatetags.uk import uk_date
from practices.tracking.models import PARTIES
from practices.tracking.services import Agreement

from .dates import UK_DAY
from .tasks import LONGEST_REASON, NO_PATIENTS

LONGEST_NAME = 150


class PoundsField(forms.DecimalField):
    """Pounds and pence, with or without the sign and the comma of thousands."""

    widget = forms.TextInput(attrs={"class": "nhsuk-input--width-10", "inputmode": "decimal"})

    def clean(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().removeprefix("£").replace(",", "")
        return super().clean(value)


def _reason(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        help_text=f"It is kept in the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason"},
    )


class BreachForm(NHSForm):
    """``seen`` is the reason that was there, if there was one."""

    submit_text = "Save the reason"
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    reason = _reason("Why did it take longer?")


class ExtendForm(NHSForm):
    """``seen`` is the attempt of the clock whose end the person saw, ``ends_on`` that end.

    A day before it is asked about once more: a slip in the month would end access at once.
    """

    submit_text = "Save the agreed end"
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    until = UKDateField(
        label="Last day of access",
        help_text=UK_DAY,
        error_messages={"required": "Enter the last day of access"},
    )
    reason = _reason("Decision, and why")
    cost = PoundsField(
        label="Cost in pounds (optional)",
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text="For example, 1200 or 1200.50",
        error_messages={
            "invalid": "Cost must be a number, such as 1200.50",
            "max_digits": "Cost must be less than 10 million pounds",
            "max_whole_digits": "Cost must be less than 10 million pounds",
            "max_decimal_places": "Cost must be in pounds and pence, such as 1200.50",
            "min_value": "Cost must be 0 or more",
        },
    )

    earlier = forms.BooleanField(
        label="Access ends earlier than it would have", required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, ends_on: date, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ends_on, self.today = ends_on, today
        for party in PARTIES:
            self.fields[party] = forms.CharField(
                label="Name (optional)",
                max_length=LONGEST_NAME,
                required=False,
                help_text=_HINTS[party],
            )
            self.fields[f"{party}_on"] = UKDateField(
                label=f"Date the {party.label.lower()} agreed", required=False, help_text=UK_DAY
            )

    def layout(self) -> list[Any]:
        groups = [Fieldset(party.label, party, f"{party}_on") for party in PARTIES]
        return ["seen", "until", "earlier", "reason", "cost", *groups, self.buttons()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for party in PARTIES:
            name, on = cleaned.get(party), cleaned.get(f"{party}_on")
            if name and not on and f"{party}_on" not in self.errors:
                self.add_error(f"{party}_on", f"Enter the day {name} agreed")
            if on and not name and party not in self.errors:
                self.add_error(party, f"Enter who agreed for the {party.label.lower()}")
        if not self.errors and not any(cleaned.get(party) for party in PARTIES):
            self.add_error(PARTIES[0], "Enter who agreed to it: at least one of the three")
        until = cleaned.get("until")
        if until and self.today <= until < self.ends_on:
            self.fields["earlier"].widget = forms.CheckboxInput()
            if not cleaned.get("earlier"):
                days = (self.ends_on - until).days
                self.add_error(
                    "earlier",
                    f"{uk_date(until)} is {days} day{'' if days == 1 else 's'} earlier than "
                    f"{uk_date(self.ends_on)}. Enter another day, or tick that it is right",
                )
        return cleaned

    @property
    def agreement(self) -> Agreement:
        typed = self.cleaned_data
        return Agreement(
            until=typed["until"],
            reason=typed["reason"],
            cost=typed["cost"],
            parties={
                party: (typed[party], typed[f"{party}_on"]) for party in PARTIES if typed[party]
            },
        )


_HINTS = {
    Owner.COMMISSIONER: "Who agreed for the commissioner",
    Owner.TARGET_SUPPLIER: "Who agreed for the new supplier",
    Owner.SOURCE_SUPPLIER: "Who confirmed it for the old supplier, which holds the system",
}

THERE, GONE = "yes", "no"


class AccessCheckForm(NHSForm):
    submit_text = "Save the check"
    is_there = forms.ChoiceField(
        label="Can you still read the old system?",
        choices=[
            (THERE, "Yes, it can still be read"),
            (GONE, "No, it cannot be read"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Select yes or no"},
    )
    checked_on = UKDateField(
        label="Day you looked",
        help_text=UK_DAY,
        error_messages={"required": "Enter the day you looked"},
    )
    note = forms.CharField(
        label="What you saw, and who was told (optional)",
        required=False,
        max_length=LONGEST_REASON,
        help_text=f"It is kept in the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_is_there(self) -> bool:
        return self.cleaned_data["is_there"] == THERE
