"""To whom somebody who leaves hands their tasks."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from practices.accounts.models import User
from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit

TO_ROLE, KEEP = "role", "keep"


class LeaveForm(NHSForm):
    """``hand_to`` is only asked when there is something to hand on."""

    submit_text = "End the role"
    hand_to = forms.ChoiceField(label="Who takes these tasks over")

    def __init__(
        self, *args: Any, person: User, people: QuerySet[User], stays: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(one.pk): one for one in people}
        field: Any = self.fields["hand_to"]
        field.choices = [
            ("", "Select"),
            (TO_ROLE, "Everybody of the role that owns each task"),
            *([(KEEP, f"{person} keeps them, in another role here")] if stays else []),
            *((key, one.name) for key, one in self.people.items()),
        ]

    def buttons(self) -> ButtonGroup:
        return ButtonGroup(
            Submit(self.submit_text, variant="warning"), Link("Cancel", self.cancel_url)
        )
