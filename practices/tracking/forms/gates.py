"""What people type to sign, withdraw, or go ahead without a signature."""

from collections.abc import Sequence
from typing import Any

from django import forms

from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit
from practices.tracking.rules import same_name
from practices.tracking.services.gates import StillOpen

from .tasks import LONGEST_REASON, NO_PATIENTS

REASON = "reason_"


class ExceptionsForm(NHSForm):
    """A reason for each mandatory thing still open; one reason may serve for all the others."""

    def __init__(self, *args: Any, items: Sequence[StillOpen], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = [item for item in items if item.mandatory]
        for item in self.items:
            self.fields[REASON + item.key] = forms.CharField(
                label=item.label, required=False, max_length=LONGEST_REASON
            )
        if len(self.items) > 1:
            self.fields["same"] = forms.CharField(
                label="The same reason for all the others",
                required=False,
                max_length=LONGEST_REASON,
                help_text=f"It counts for everything above that has no reason of its own. "
                f"{NO_PATIENTS}",
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # One that is given, and too long, is complained of as that.
        same = cleaned.get("same") or "same" in self.errors
        for item in self.items:
            name = REASON + item.key
            if name in cleaned and not cleaned[name] and not same:
                self.add_error(name, f"Enter why “{item.label}” can be accepted")
        return cleaned

    @property
    def reasons(self) -> dict[str, str]:
        """A reason for each key of what is still open."""
        same = self.cleaned_data.get("same", "")
        return {item.key: self.cleaned_data[REASON + item.key] or same for item in self.items}


class SignForm(NHSForm):
    """The declaration; ``full_name`` is what the signer has to type."""

    name = forms.CharField(
        label="Your full name",
        max_length=150,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-20", "autocomplete": "name"}),
        error_messages={"required": "Enter your full name"},
    )
    declared = forms.BooleanField(
        label="I have read the statement, and I declare that it is true",
        error_messages={"required": "Tick the declaration to sign"},
    )

    def __init__(self, *args: Any, full_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.full_name = full_name
        self.fields["name"].help_text = f"As in your account: {full_name}"

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if not same_name(typed, self.full_name):
            raise forms.ValidationError(f"Enter your name as in your account: {self.full_name}")
        return typed


class WarningForm(NHSForm):
    """An act with consequences: its button warns."""

    def buttons(self) -> ButtonGroup:
        return ButtonGroup(
            Submit(self.submit_text, variant="warning"), Link("Cancel", self.cancel_url)
        )


def _reason(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        help_text=f"It is kept for ever. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason"},
    )


class WithdrawForm(WarningForm):
    """``round`` is the round whose signatures the person saw."""

    submit_text = "Withdraw the sign-off"
    round = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=32767)
    reason = _reason("Why the sign-off no longer counts")


class BypassForm(WarningForm):
    submit_text = "Record that it goes ahead without"
    reason = _reason("Why it goes ahead without the sign-off")


class ConfirmBypassForm(WarningForm):
    """``bypass`` is the record the person saw."""

    submit_text = "Confirm as the second person"
    bypass = forms.IntegerField(widget=forms.HiddenInput)
