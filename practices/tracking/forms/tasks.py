"""What people type about tasks."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.errors import Refused
from practices.common.fields import UKDateField
from practices.common.file_text import texts_in
from practices.common.files import EVIDENCE, check_upload, clean_name
from practices.common.forms import NHSForm

LONGEST_REASON = 500
NO_PATIENTS = "Do not enter anything about a patient."


def _reason(label: str, required: str, *, obligatory: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        required=obligatory,
        help_text=NO_PATIENTS,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": required},
    )


class VersionForm(NHSForm):
    """A form that knows which state of the task the person was looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31)


class SetAsideForm(NHSForm):
    submit_text = "Mark as not applicable"
    reason = _reason("Why it does not apply here", "Enter why it does not apply here")


class BlockForm(NHSForm):
    submit_text = "Mark as blocked"
    reason = _reason("What it is waiting for", "Enter what it is waiting for")


class ReopenForm(VersionForm):
    """Without a sign-off over the task no reason is needed; the service knows."""

    submit_text = "Reopen task"
    reason = _reason("Reason for reopening", "Enter a reason", obligatory=False)

    def __init__(self, *args: Any, signed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if signed:
            self.submit_text = "Reopen task and withdraw sign-off"
        else:
            self.fields["reason"].label = "Reason for reopening (optional)"


def _offer(field: forms.Field, people: dict[str, list[User]], nobody: str) -> None:
    """Let a field choose one of these people, who stand under their roles."""
    field.queryset = User.objects.filter(  # type: ignore[attr-defined]
        pk__in=[person.pk for group in people.values() for person in group]
    )
    groups = [
        (role, [(person.pk, person.name) for person in group]) for role, group in people.items()
    ]
    field.choices = [("", nobody), *groups]  # type: ignore[attr-defined]


class AssignForm(VersionForm):
    submit_text = "Save"
    assignee = forms.ModelChoiceField(
        label="Who does this task",
        queryset=User.objects.none(),
        required=False,
    )

    def __init__(
        self, *args: Any, people: dict[str, list[User]], nobody: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["assignee"], people, nobody)


class DueForm(VersionForm):
    """``agreed`` is the mark of the other moves that the person was shown and says yes to."""

    submit_text = "Save due date"
    agreed = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    due_on = UKDateField(
        label="New due date",
        help_text="The task keeps this date when go-live or another date moves.",
    )

    def ask(self, question: str, mark: str) -> None:
        """Show the question; the button then says yes to it."""
        self.add_error("due_on", question)
        self.data = {**dict(self.data.items()), "agreed": mark}
        self.submit_text = "Yes, move these as well"


class NoteForm(NHSForm):
    submit_text = "Add note"
    note = forms.CharField(
        label="Add a note",
        max_length=2000,
        help_text=NO_PATIENTS,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Enter a note",
            "max_length": "Note must be 2,000 characters or fewer",
        },
    )
    is_lesson = forms.BooleanField(
        label="This is a lesson for other practices",
        required=False,
        help_text="When the migration is finished, whoever shapes the plan reads it and may put "
        "it there for everybody.",
    )


class EvidenceForm(NHSForm):
    submit_text = "Add evidence"
    link = forms.URLField(
        label="Web address",
        required=False,
        max_length=1000,
        assume_scheme="https",
        help_text="For example, of a document on your shared drive.",
        error_messages={"invalid": "Enter a web address, like https://example.nhs.uk/report"},
    )
    upload = forms.FileField(
        label="Or a file",
        required=False,
        help_text="PDF, PNG, JPG, DOCX, XLSX, CSV or TXT, up to "
        f"{settings.EVIDENCE_MAX_MB} MB. It must hold nothing about a patient.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            given = [name for name in ("link", "upload") if cleaned.get(name)]
            if not given:
                self.add_error("link", "Enter a web address or choose a file")
            elif len(given) > 1:
                self.add_error("link", "Add the web address and the file one after the other")
            elif cleaned.get("upload"):
                self._look_at(cleaned["upload"])
        return cleaned

    def _look_at(self, upload: UploadedFile) -> None:
        try:
            check_upload(upload=upload, allowed=EVIDENCE, megabytes=settings.EVIDENCE_MAX_MB)
        except Refused as refusal:
            self.add_error("upload", str(refusal))

    def typed(self) -> Iterator[tuple[str, str]]:
        yield from super().typed()
        if upload := self.cleaned_data.get("upload"):
            yield "upload", clean_name(upload.name)
            yield from (("upload", text) for text in texts_in(upload))

    def _question(self, name: str) -> str:
        question = super()._question(name)
        # A browser never fills in a file again.
        return f"{question}. Choose the file again" if name == "upload" else question


class AddTaskForm(NHSForm):
    submit_text = "Add task"
    title = forms.CharField(
        label="What is to be done",
        max_length=250,
        help_text=NO_PATIENTS,
        error_messages={"required": "Enter what is to be done"},
    )
    guidance = forms.CharField(
        label="How to do it (optional)",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    owner = forms.ChoiceField(
        label="Whose task it is", choices=Owner.choices, initial=Owner.PRACTICE_MANAGER
    )
    due_on = UKDateField(label="Due date", help_text="It does not move when go-live moves.")
    assignee = forms.ModelChoiceField(
        label="Who does it (optional)", queryset=User.objects.none(), required=False
    )

    def __init__(self, *args: Any, people: dict[str, list[User]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["assignee"], people, "Anybody with that role")
