"""Which mails somebody wants, and what not for a while."""

from typing import Any

from django import forms

from practices.common.fields import UKDateField
from practices.common.forms import NHSForm
from practices.tracking.forms.tasks import NO_PATIENTS

from .models import Notification, NotificationPreference
from .wishes import USUALLY

Kind = Notification.Kind
How = NotificationPreference.How

ASKED = {
    Kind.CLOCK: (
        "Warnings of the cut-over and old-system access clocks",
        "That a clock has passed its end is always mailed to you at once.",
    ),
    Kind.ACCESS: (
        "The weekly look at the old system",
        "Whether it can still be read, until its access ends.",
    ),
    Kind.REMINDER: ("Reminders of the plan", "What comes up around a date or a sign-off."),
    Kind.OVERDUE: ("Overdue tasks", "One mail in the morning, for all migrations together."),
    Kind.ASSIGNED: ("A task is assigned to you", ""),
    Kind.BLOCKED: ("A task is blocked", "Told to the project manager and to whoever has the task."),
    Kind.MOVED: ("Go-live is moved", ""),
    Kind.SIGNED: ("A sign-off is given", ""),
    Kind.WITHDRAWN: ("A sign-off is withdrawn", ""),
}


class PreferencesForm(NHSForm):
    """One question for each kind; overdue tasks are only ever told once a day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in USUALLY:
            label, hint = ASKED[Kind(kind)]
            choices = [
                choice for choice in How.choices if kind != Kind.OVERDUE or choice[0] != How.AT_ONCE
            ]
            self.fields[kind] = forms.ChoiceField(
                label=label,
                help_text=hint,
                choices=choices,
                widget=forms.RadioSelect,
                error_messages={"required": f"Select how you want to be told: {label.lower()}"},
            )


class MuteForm(NHSForm):
    submit_text = "Mute"
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        help_text=f"It is kept in the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason"},
    )
    until = UKDateField(
        label="Last day without mails",
        help_text="At most three months from today.",
        error_messages={"required": "Enter the last day without mails"},
    )
