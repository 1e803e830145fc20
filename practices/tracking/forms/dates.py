"""What people type about key dates: when they are planned, when they happened."""

from datetime import datetime
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from practices.common.fields import UKDateField, UKDateTimeField
from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit
from practices.plans.rules import Moment, inside
from practices.tracking.models import KeyDate

from .tasks import LONGEST_REASON, NO_PATIENTS

UK_TIME = "For example, 12 4 2027 and 08:00. UK time, 24-hour clock."
UK_DAY = "For example, 12 4 2027"


def _moment_field(key_date: KeyDate, label: str) -> UKDateField:
    what = "date and time" if key_date.has_time else "date"
    field = UKDateTimeField if key_date.has_time else UKDateField
    return field(
        label=f"{label.format(what)} of {inside(key_date.title)}",
        help_text=UK_TIME if key_date.has_time else UK_DAY,
        error_messages={"required": f"Enter the {what}"},
    )


def _reason() -> forms.CharField:
    return forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        help_text=f"It is kept in the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason"},
    )


class MomentForm(NHSForm):
    """One key date: a day, or a day and time, as the plan has it."""

    label = ""
    key_date: KeyDate

    def __init__(self, *args: Any, key_date: KeyDate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key_date = key_date
        self.fields["when"] = _moment_field(key_date, self.label)

    @property
    def moment(self) -> Moment:
        """What was typed."""
        typed = self.cleaned_data["when"]
        return Moment.of_instant(typed) if self.key_date.has_time else Moment.of_day(typed)


class PlanDateForm(MomentForm):
    """Asked by address: see the view."""

    submit_text = "Show what moves"
    label = "New planned {}"

    @property
    def helper(self) -> FormHelper:
        helper = super().helper
        helper.form_method = "get"
        return helper


class RecordDateForm(MomentForm):
    """``sure`` is the instant that the person confirms although it is far from the plan."""

    submit_text = "Record it"
    label = "Actual {}"
    asked_about = ""

    @property
    def is_sure(self) -> bool:
        """Whether the question was answered, and about the date that stands there now."""
        return self.data.get("sure") == self.moment.at.isoformat()

    def ask(self, question: str) -> None:
        """Show the question; the button then says yes to it."""
        self.asked_about = self.moment.at.isoformat()
        self.add_error("when", question)

    def buttons(self) -> ButtonGroup:
        if not self.asked_about:
            return super().buttons()
        yes = Submit(f"Yes, {self.submit_text.lower()}", name="sure", value=self.asked_about)
        return ButtonGroup(yes, Link("Cancel", self.cancel_url))


class CorrectDateForm(RecordDateForm):
    """``seen`` is the recorded instant that the person corrects."""

    submit_text = "Correct it"
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = _reason()
        self.order_fields(["seen", "when", "reason"])

    def clean_seen(self) -> datetime:
        try:
            return datetime.fromisoformat(self.cleaned_data["seen"])
        except ValueError:
            raise forms.ValidationError("Load the page again, then correct the date.") from None


class ClearDateForm(NHSForm):
    submit_text = "Take the date back"
    reason = _reason()

    def buttons(self) -> ButtonGroup:
        return ButtonGroup(
            Submit(self.submit_text, variant="warning"), Link("Cancel", self.cancel_url)
        )
