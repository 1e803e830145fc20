"""What a migration is started with."""

import contextlib
from typing import Any

from crispy_forms.layout import Fieldset
from django import forms
from django.db.models import Q
from django.forms.utils import ErrorDict

from practices.accounts.models import Membership, MembershipQuerySet, User
from practices.accounts.roles import Owner, Role
from practices.common.fields import UKDateTimeField
from practices.common.forms import NHSForm
from practices.common.layout import Submit
from practices.directory.models import ClinicalSystem
from practices.plans.models import PlanVersion
from practices.tracking.services import ContactDetails

from .conditions import PREFIX
from .people import TelephoneField

# Who has to be reached on cut-over day; others are added on the people page.
CONTACTS = [("new", "New supplier's contact", Owner.TARGET_SUPPLIER)]
CONTACTS += [("old", "Old supplier's contact", Owner.SOURCE_SUPPLIER)]
MOST_MANAGERS = 30
CONTACT_FIELDS = ("name", "telephone", "email")


class ProjectManagerField(forms.ModelChoiceField):
    """A membership: it names the person and the organisation that runs the migration."""

    def label_from_instance(self, obj: Membership) -> str:
        return f"{obj.person.name}, {obj.organisation.name}"


class StartForm(NHSForm):
    submit_text = "Show the dates"
    practice = forms.CharField(widget=forms.HiddenInput)
    plan_version = forms.ModelChoiceField(
        label="Plan",
        queryset=PlanVersion.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
    )
    source_system = forms.ModelChoiceField(
        label="Old system", queryset=ClinicalSystem.objects.all(), empty_label="Select"
    )
    target_system = forms.ModelChoiceField(
        label="New system", queryset=ClinicalSystem.objects.all(), empty_label="Select"
    )
    manager_words = forms.CharField(
        label="Find a project manager",
        required=False,
        max_length=100,
        help_text="Type part of a name, an email address or an organisation, then select Find.",
    )
    project_manager = ProjectManagerField(
        label="Project manager", queryset=Membership.objects.none(), empty_label="Select"
    )
    go_live = UKDateTimeField(
        label="Planned go-live",
        help_text="When the practice begins to use the new system. UK time, for example 08:00.",
    )
    fdp = UKDateTimeField(
        label="Planned final data production (optional)",
        required=False,
        help_text="When cut-over begins. Leave it empty to use the plan's own time before go-live.",
    )

    def __init__(self, *args: Any, starter: User, today: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans: Any = self.fields["plan_version"]
        plans.queryset = PlanVersion.objects.published()
        offered = list(plans.queryset[:2])
        plans.initial = offered[0] if len(offered) == 1 else None
        managers = (
            Membership.objects.held_on(today)
            .filter(role=Role.PROJECT_MANAGER, person__is_active=True)
            .select_related("person", "organisation")
            .order_by("organisation__name", "person__name")
        )
        if not starter.sees_all:
            managers = managers.filter(organisation__in=starter.organisations(Role.PROJECT_MANAGER))
        own = managers.filter(person=starter).first()
        self._offer(managers, own)
        for prefix, _, _ in CONTACTS:
            self._add_contact_fields(prefix)
        # What was answered on the next page is not lost by coming back to this one.
        for name in self.data:
            if name.startswith(PREFIX):
                self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput)

    def _offer(self, managers: MembershipQuerySet, own: Membership | None) -> None:
        """A list that stays short however many project managers there are: the rest is searched."""
        field: Any = self.fields["project_manager"]
        field.queryset = managers
        field.initial = own.pk if own else None
        if managers.count() <= MOST_MANAGERS:
            del self.fields["manager_words"]
            return
        found = managers
        for word in str(self["manager_words"].value() or "").replace("\x00", "").split():
            found = found.filter(
                Q(person__name__icontains=word)
                | Q(person__email__icontains=word)
                | Q(organisation__name__icontains=word)
            )
        offered: list[Membership] = []
        with contextlib.suppress(forms.ValidationError):
            if chosen := field.to_python(self["project_manager"].value()):
                offered.append(chosen)
        offered += [one for one in found[:MOST_MANAGERS] if one not in offered]
        field.choices = [("", "Select"), *((m.pk, field.label_from_instance(m)) for m in offered)]

    def without_errors(self) -> "StartForm":
        """What was typed, shown again before it is finished."""
        self._errors = ErrorDict()
        return self

    def _add_contact_fields(self, prefix: str) -> None:
        self.fields[f"{prefix}_name"] = forms.CharField(
            label="Name (optional)", max_length=150, required=False
        )
        self.fields[f"{prefix}_telephone"] = TelephoneField()
        self.fields[f"{prefix}_email"] = forms.EmailField(
            label="Email address",
            required=False,
            error_messages={"invalid": "Enter an email address like name@example.com"},
        )

    def layout(self) -> list[Any]:
        groups = [
            Fieldset(title, *(f"{prefix}_{name}" for name in CONTACT_FIELDS))
            for prefix, title, _ in CONTACTS
        ]
        grouped = {f"{prefix}_{name}" for prefix, _, _ in CONTACTS for name in CONTACT_FIELDS}
        plain: list[Any] = [name for name in self.fields if name not in grouped]
        if "manager_words" in plain:
            find = Submit("Find", name="find", value="1", variant="secondary")
            plain.insert(plain.index("manager_words") + 1, find)
        return [*plain, *groups, self.buttons()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        source, target = cleaned.get("source_system"), cleaned.get("target_system")
        if source and source == target:
            self.add_error("target_system", "Choose a new system that is not the old one")
        go_live, fdp = cleaned.get("go_live"), cleaned.get("fdp")
        # The same time in an hour when the clocks change would be complained of twice.
        same = "fdp" in self.errors and self.errors["fdp"] == self.errors.get("go_live")
        if same:
            del self.errors["fdp"]
        if same or (go_live and fdp and fdp >= go_live):
            self.add_error("fdp", "Final data production has to come before go-live")
        for prefix, title, _ in CONTACTS:
            name, telephone, email = (cleaned.get(f"{prefix}_{part}") for part in CONTACT_FIELDS)
            wrong = {f"{prefix}_telephone", f"{prefix}_email"} & set(self.errors)
            if (telephone or email) and not name:
                self.add_error(f"{prefix}_name", f"Enter the name of the {title.lower()}")
            if name and not (telephone or email or wrong):
                self.add_error(
                    f"{prefix}_telephone",
                    f"Enter a telephone number or an email address for {name}",
                )
        return cleaned

    def contacts(self) -> list[ContactDetails]:
        """The contacts that were given."""
        return [
            ContactDetails(
                role=role,
                name=self.cleaned_data[f"{prefix}_name"],
                telephone=self.cleaned_data[f"{prefix}_telephone"],
                email=self.cleaned_data[f"{prefix}_email"],
            )
            for prefix, _, role in CONTACTS
            if self.cleaned_data[f"{prefix}_name"]
        ]
