"""What people type on the pages about people."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from practices.common.errors import Refused
from practices.common.fields import UKDateField
from practices.common.files import TABLE, check_upload
from practices.common.forms import NHSForm
from practices.directory.models import Organisation

from .invitation_file import Line, read_invitation_file
from .models import ONE_DAY, User
from .roles import Role
from .sign_in import HOW_TO_CHOOSE

CODES = "Codes of suppliers, commissioners and others"


class JoinForm(NHSForm):
    """Somebody new says who they are and chooses a password."""

    submit_text = "Save and sign in"
    name = forms.CharField(
        label="Full name",
        max_length=150,
        help_text="As colleagues know you. It stands beside what you tick and sign.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your full name"},
    )
    password1 = forms.CharField(
        label="Password",
        help_text=HOW_TO_CHOOSE,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def typed(self) -> Iterator[tuple[str, str]]:
        """A password is nobody's business: only the name is looked at."""
        yield "name", self.cleaned_data.get("name", "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two passwords differ. Enter the same one twice")
        elif first:
            try:
                validate_password(first, User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as weak:
                self.add_error("password1", weak)
        return cleaned


Target = tuple[Organisation, str]
MOST_NAMED = 10


def _where_codes_are(typed: str) -> str:
    """What is said of a code that nobody has: a name typed in its place finds the code."""
    named = Organisation.objects.named(typed)
    there_is_none = f"There is no organisation with the code “{typed.upper()}”"
    number = named.count()
    if not number:
        return (
            f"{there_is_none}, and none with “{typed}” in its name. Look it up on the page "
            f"Practices, or under “{CODES}” on this page."
        )
    these = ", ".join(f"{one.name} ({one.code})" for one in named[:MOST_NAMED])
    if (more := number - MOST_NAMED) > 0:
        these += f", and {more} more: type more of the name"
    return (
        f"{there_is_none}. These have it in their name: {these}. Enter the code of the right one."
    )


class RoleForm(NHSForm):
    """A role in any organisation, which is named by its code: for administrators."""

    submit_text = "Give the role"
    organisation = forms.CharField(
        label="Organisation code",
        max_length=100,
        help_text=(
            "Of a practice its ODS code. If you do not know a code, type part of the name and "
            "send the form: you are told the codes that fit."
        ),
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-20", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label="Role", choices=[("", "Select"), *Role.choices])
    until = UKDateField(
        label="Until and including",
        required=False,
        help_text="Leave it empty for a role without an end.",
    )

    def clean_organisation(self) -> Organisation:
        typed = self.cleaned_data["organisation"].strip()
        found = Organisation.objects.filter(code=typed.upper()).first()
        if found is None:
            raise ValidationError(_where_codes_are(typed))
        return found

    def target(self) -> Target:
        return self.cleaned_data["organisation"], self.cleaned_data["role"]

    def valid_to(self) -> date | None:
        """The first day the role is no longer held."""
        until = self.cleaned_data["until"]
        return until + ONE_DAY if until else None


class InviteAnywhereForm(RoleForm):
    """An administrator invites somebody."""

    submit_text = "Send the invitation"
    field_order = ("email", "name", "organisation", "role", "until")
    email = forms.EmailField(label="Email address", max_length=254)
    name = forms.CharField(label="Full name", max_length=150)


class InviteForm(InviteAnywhereForm):
    """Somebody is invited to one of the roles that this person may give."""

    organisation = None  # type: ignore[assignment]  # the role says of which

    def __init__(self, *args: Any, offers: Mapping[Organisation, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = {
            f"{organisation.pk}-{role}": (organisation, role)
            for organisation, roles in offers.items()
            for role in roles
        }
        groups = [
            (str(place), [(f"{place.pk}-{role}", Role(role).label) for role in roles])
            for place, roles in offers.items()
        ]
        field: Any = self.fields["role"]
        field.choices = [("", "Select"), *(groups if len(groups) > 1 else groups[0][1])]

    def target(self) -> Target:
        return self.offers[self.cleaned_data["role"]]


class DeputyForm(NHSForm):
    """Who stands in for somebody, and on which days."""

    submit_text = "Appoint the deputy"
    deputy = forms.ModelChoiceField(
        label="Deputy",
        queryset=User.objects.none(),
        empty_label="Select",
        help_text="Somebody of the same organisation. Invite them first if they are not listed.",
        error_messages={"required": "Select who stands in"},
    )
    first = UKDateField(label="First day")
    last = UKDateField(label="Last day")

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["deputy"]
        field.queryset = people.order_by("name", "pk")
        field.label_from_instance = lambda person: f"{person.name} ({person.email})"


class InviteManyForm(NHSForm):
    """A CSV of people to invite; cleans to its lines."""

    submit_text = "See what would happen"
    file = forms.FileField(
        label="File of people to invite",
        help_text="A CSV file with a header row. Nobody is invited before you have looked at it.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
        error_messages={
            "required": "Choose the file of people to invite",
            "empty": "The file is empty.",
        },
    )

    def clean_file(self) -> list[Line]:
        upload: Any = self.cleaned_data["file"]
        try:
            check_upload(upload=upload, allowed=TABLE, megabytes=1)
            return read_invitation_file(upload)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
