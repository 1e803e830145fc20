"""Ending a migration, or its cut-over, each on a page that says what it means."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Refused
from practices.common.forms import NHSForm
from practices.tracking import services
from practices.tracking.forms.people import CloseForm, EndForm
from practices.tracking.models import Migration
from practices.tracking.rules import FDP
from practices.tracking.services.lifecycle import (
    ABORT,
    CANCEL,
    DELETE,
    FINISH,
    missing_for,
)

from .scope import migration_for

asks = require_http_methods(["GET", "HEAD", "POST"])


@asks
def abort_cut_over(request: SignedInRequest, reference: str) -> HttpResponse:
    """Go back to planning: final data production is taken back, its clock no longer counts."""
    migration = migration_for(request, reference, Permission.END_MIGRATION)
    return _ask(
        request,
        migration,
        ABORT,
        EndForm,
        heading="Abort the cut-over",
        meaning=[
            "The practice goes back to its old system and the migration back to planning.",
            "The cut-over clock no longer counts; the record of it stays in the history.",
            "Plan final data production and go-live again afterwards.",
        ],
        act=lambda reason: services.clear_actual(
            migration=migration, key=FDP, reason=reason, by=request.user, at=clock.now()
        ),
        done="The cut-over is aborted. Plan the new dates.",
        then="tracking:dates",
    )


@asks
def cancel(request: SignedInRequest, reference: str) -> HttpResponse:
    """Stop a migration that will not happen."""
    migration = migration_for(request, reference, Permission.END_MIGRATION)
    return _ask(
        request,
        migration,
        CANCEL,
        EndForm,
        heading="Cancel the migration",
        meaning=[
            "Nothing in it can be changed any more, and its reminders stop.",
            "It stays readable, with its history. The practice can start another migration.",
        ],
        act=lambda reason: services.cancel_migration(
            migration=migration, reason=reason, by=request.user, at=clock.now()
        ),
        done="The migration is cancelled.",
        then="tracking:overview",
    )


@asks
def delete(request: SignedInRequest, reference: str) -> HttpResponse:
    """Delete a migration started by mistake, before any work."""
    migration = migration_for(request, reference, Permission.END_MIGRATION)
    return _ask(
        request,
        migration,
        DELETE,
        EndForm,
        heading="Delete the migration",
        meaning=[
            "This is for a migration started by mistake, before any work was recorded in it.",
            "It disappears from every list. Its record stays in the database.",
        ],
        act=lambda reason: services.delete_migration(
            migration=migration, reason=reason, by=request.user, at=clock.now()
        ),
        done=f"The migration {reference} is deleted.",
        then="home",
    )


@asks
def finish(request: SignedInRequest, reference: str) -> HttpResponse:
    """Close a migration when everything is done."""
    migration = migration_for(request, reference, Permission.END_MIGRATION)
    return _ask(
        request,
        migration,
        FINISH,
        CloseForm,
        heading="Close the migration",
        meaning=[
            "Every mandatory task is done or set aside, and no sign-off holds it up.",
            "Nothing in it can be changed afterwards. It stays readable, with its history.",
        ],
        act=lambda _reason: services.finish_migration(
            migration=migration, by=request.user, at=clock.now()
        ),
        done="The migration is closed. Well done.",
        then="tracking:overview",
    )


def _ask(
    request: SignedInRequest,
    migration: Migration,
    end: str,
    form_class: type[NHSForm],
    *,
    heading: str,
    meaning: list[str],
    act: Callable[[str], object],
    done: str,
    then: str,
) -> HttpResponse:
    """Say what it means, ask for the reason, do it once; or say what is missing and ask nothing."""
    form = form_class(request.POST if request.method == "POST" else None)
    form.submit_text = heading
    form.cancel_url = reverse("tracking:overview", args=(migration.reference,))
    missing = missing_for(migration, end)
    if not missing and request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data.get("reason", ""))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(then) if then == "home" else redirect(then, migration.reference)
    context = {
        "migration": migration,
        "heading": heading,
        "meaning": meaning,
        "missing": missing,
        "errors": missing if form.is_bound else [],
        "typed": request.POST.get("reason", ""),
        "form": None if missing else form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "tracking/end.html", context, status=status)
