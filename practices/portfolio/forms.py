"""The filters of the dashboard, read from its address."""

from typing import Any, cast

from django import forms

from practices.common.forms import PlainErrors
from practices.tracking.models import Migration

from .queries import COUNTERS, EVERY_STATE, SORTS, Options, RunBy

# Deleted ones were mistakes: nobody sees them.
STATES = [choice for choice in Migration.State.choices if choice[0] != Migration.State.DELETED]


class Filters(PlainErrors, forms.Form):
    """What to list and in which order. Its address may be kept, sent on and opened again."""

    practice = forms.CharField(label="Practice name or ODS code", required=False, max_length=100)
    commissioner = forms.ChoiceField(label="Commissioner", required=False)
    systems = forms.ChoiceField(label="Old and new system", required=False)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All under way"), *STATES, (EVERY_STATE, "All, ended ones too")],
    )
    phase = forms.ChoiceField(label="Current phase", required=False)
    mine = forms.BooleanField(label="Only those I manage", required=False)
    show = forms.ChoiceField(
        label="Counter", required=False, choices=list(COUNTERS.items()), widget=forms.HiddenInput
    )
    sort = forms.ChoiceField(
        label="Order",
        required=False,
        choices=[(value, value) for key in SORTS for value in (key, f"-{key}")],
        widget=forms.HiddenInput,
    )

    def __init__(self, data: Any, *, options: Options, manages: bool) -> None:
        super().__init__(data)
        self._offer("commissioner", "All commissioners", options.commissioners)
        self._offer("systems", "All systems", options.systems)
        self._offer("phase", "All phases", options.phases)
        if not manages:
            del self.fields["mine"]

    def _offer(self, name: str, everything: str, choices: list[tuple[str, str]]) -> None:
        field = cast("forms.ChoiceField", self.fields[name])
        field.choices = [("", everything), *choices]

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order was asked for."""
        return any(value for name, value in self.cleaned_data.items() if name != "sort")


class UpgradeFilters(Filters):
    """The same for who chooses what to move to another version: also by who runs it."""

    manager = forms.ChoiceField(label="Project manager", required=False)
    runner = forms.ChoiceField(label="Run by", required=False)

    def __init__(self, data: Any, *, options: Options, manages: bool, by: RunBy) -> None:
        super().__init__(data, options=options, manages=manages)
        self._offer("manager", "All project managers", by.managers)
        self._offer("runner", "All organisations", by.organisations)
