"""What is said of a whole version."""

from django import forms

from practices.common.forms import NHSForm


class PublishForm(NHSForm):
    submit_text = "Publish"

    notes = forms.CharField(
        label="What is new, in a few words",
        required=False,
        max_length=1000,
        help_text="Shown with the version. Leave it empty if there is nothing to say.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
