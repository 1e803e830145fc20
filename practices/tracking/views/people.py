"""Who is who in a migration: people who sign in, and contacts to call."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.common.forms import NHSForm
from practices.common.time import london_date
from practices.tracking import services
from practices.tracking.forms.people import ContactForm, ProjectManagerForm
from practices.tracking.models import Contact, Migration
from practices.tracking.services.contacts import contact_mark, details_of
from practices.tracking.team import invitable, needed_roles, project_managers, team

from .inviting import open_invitations
from .scope import migration_for, visible_migration

asks = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def people(request: SignedInRequest, reference: str) -> HttpResponse:
    """People by role, roles nobody holds, and contacts."""
    migration = visible_migration(request, reference)
    now = clock.now()
    places = invitable(migration, request.user)
    return render(
        request,
        "tracking/people.html",
        {
            "migration": migration,
            "team": team(migration, now),
            "needed": needed_roles(migration) if migration.is_active else (),
            "places": places,
            "invitations": open_invitations(places),
            "now": now,
            "contacts": migration.contacts.filter(removed_at=None).order_by("role", "name"),
            "can_edit": migration.is_active
            and migration.allows(request.user, Permission.MANAGE_CONTACTS),
        },
    )


@asks
def project_manager(request: SignedInRequest, reference: str) -> HttpResponse:
    """Hand the migration to another project manager of the organisation that runs it."""
    migration = migration_for(request, reference, Permission.START_MIGRATION)
    now = clock.now()
    form = ProjectManagerForm(
        request.POST if request.method == "POST" else None,
        people=project_managers(migration.run_by, london_date(now)),
        run_by=migration.run_by,
        initial={
            "project_manager": migration.project_manager_id,
            "seen": migration.project_manager_id,
        },
    )
    before = migration.project_manager
    if form.is_bound and form.is_valid():
        try:
            migration = services.change_project_manager(
                migration=migration,
                to=form.cleaned_data["project_manager"],
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=now,
            )
        except Conflict as conflict:
            # Saving again is a decision taken knowing whom the other person chose.
            migration.refresh_from_db(fields=["project_manager"])
            form.data = {**request.POST.dict(), "seen": migration.project_manager_id}
            form.add_error(None, str(conflict))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if migration.project_manager == before:
                messages.info(request, f"The project manager was already {before}.")
            else:
                messages.success(request, f"The project manager is {migration.project_manager}.")
            return redirect("tracking:people", reference)
    return _form_page(request, migration, form, "Change the project manager")


@asks
def add(request: SignedInRequest, reference: str) -> HttpResponse:
    """Add a contact."""
    migration = migration_for(request, reference, Permission.MANAGE_CONTACTS)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = services.add_contact(
                migration=migration, details=form.details(), by=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{contact} is on the contact list.")
            return redirect("tracking:people", reference)
    return _form_page(request, migration, form, "Add a contact")


@asks
def change(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Change a contact."""
    migration = migration_for(request, reference, Permission.MANAGE_CONTACTS)
    contact = _contact(migration, pk)
    form = ContactForm(
        request.POST or None,
        initial={**asdict(details_of(contact)), "seen": contact_mark(contact)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_contact(
                contact=contact,
                details=form.details(),
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=clock.now(),
            )
        except Conflict as conflict:
            # Saving again is a decision taken knowing what the other person wrote.
            contact.refresh_from_db()
            form.data = {**request.POST.dict(), "seen": contact_mark(contact)}
            form.add_error(None, str(conflict))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The contact is saved.")
            return redirect("tracking:people", reference)
    return _form_page(request, migration, form, f"Change {contact}")


@require_POST
def remove(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Take a contact off the list."""
    migration = migration_for(request, reference, Permission.MANAGE_CONTACTS)
    contact = _contact(migration, pk)
    try:
        services.remove_contact(contact=contact, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{contact} is no longer on the contact list.")
    return redirect("tracking:people", reference)


def _contact(migration: Migration, pk: int) -> Contact:
    contact = get_object_or_404(migration.contacts, pk=pk, removed_at=None)
    contact.migration = migration
    return contact


def _form_page(
    request: SignedInRequest, migration: Migration, form: NHSForm, heading: str
) -> HttpResponse:
    form.cancel_url = reverse("tracking:people", args=(migration.reference,))
    return render(
        request,
        "tracking/person_form.html",
        {"migration": migration, "form": form, "heading": heading},
        status=422 if form.is_bound else 200,
    )
