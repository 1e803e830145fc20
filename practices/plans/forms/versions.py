"""What is said of a whole version."""

import re
from typing import Any

from django import forms

from practices.accounts.roles import Owner
from practices.common.fields import UKDateField
from practices.common.forms import NHSForm
from practices.plans.rules import PlanTree

from .fields import LineField

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PublishForm(NHSForm):
    submit_text = "Publish"

    notes = forms.CharField(
        label="What is new, in a few words",
        required=False,
        max_length=1000,
        help_text="Shown with the version. Leave it empty if there is nothing to say.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NewPlanForm(NHSForm):
    """A plan from nothing, or from what another plan says."""

    submit_text = "Make the plan"

    title = LineField(label="Title", max_length=150)
    slug = LineField(
        label="Short name",
        max_length=60,
        help_text=(
            "Its name in addresses and files: small letters, numbers and hyphens, for example "
            "north-region. It stays."
        ),
    )
    copied = forms.ChoiceField(label="Start from", required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, versions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["copied"].choices = [("", "A blank plan"), *versions]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if not SLUG.fullmatch(slug):
            raise forms.ValidationError(
                "Short name must be small letters, numbers and single hyphens, such as north-region"
            )
        return slug


class SampleForm(NHSForm):
    """The go-live for which dates are shown while a plan is edited."""

    submit_text = "Show the dates for this go-live"

    go_live = UKDateField(
        label="Sample go-live",
        help_text="For example, 12 3 2027. It is only used to show dates here.",
        error_messages={"required": "Enter a day"},
    )


class PreviewForm(NHSForm):
    """The go-live that a plan is tried out on, and which of its tasks are listed."""

    submit_text = "Show"

    go_live = UKDateField(
        label="Go-live",
        help_text="For example, 12 3 2027",
        error_messages={"required": "Enter a day"},
    )
    phase = forms.ChoiceField(label="Tasks of phase", required=False)
    owner = forms.ChoiceField(label="Tasks of", required=False)

    def __init__(self, *args: Any, tree: PlanTree, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        phases = [(phase.key, phase.title) for phase in tree.phases]
        fields["phase"].choices = [("", "All phases"), *phases]
        owners = {task.owner for task in tree.tasks()}
        labels = [(owner, label) for owner, label in Owner.choices if owner in owners]
        fields["owner"].choices = [("", "Everybody"), *labels]
