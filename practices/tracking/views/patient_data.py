"""Reporting patient data, and deciding what becomes of what was reported."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Refused
from practices.common.models import StoredFile, Text
from practices.tracking import queries, services
from practices.tracking.models import Migration, PatientDataReport
from practices.tracking.places import place_of

from .scope import back, migration_for, visible_migration

asks = require_http_methods(["GET", "HEAD", "POST"])


@asks
def report_text(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Ask with the text in view; a POST hides it for everybody."""
    migration = visible_migration(request, reference)
    return _report(request, migration, get_object_or_404(Text, pk=pk))


@asks
def report_file(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """The same for a file, and its name."""
    migration = visible_migration(request, reference)
    return _report(request, migration, get_object_or_404(StoredFile, pk=pk))


def _report(
    request: SignedInRequest, migration: Migration, what: Text | StoredFile
) -> HttpResponse:
    place = place_of(migration, what)
    if place is None or not place.is_open_to(request.user, migration):
        raise Http404("It is no part of this migration.")
    is_text = isinstance(what, Text)
    home = back(request, reverse("tracking:overview", args=(migration.reference,)))
    errors: list[str] = []
    if request.method == "POST":
        held = {"text": what} if isinstance(what, Text) else {"file": what}
        try:
            services.report_patient_data(
                migration=migration, by=request.user, at=clock.now(), **held
            )
        except Refused as refusal:
            errors = [str(refusal)]
        else:
            messages.success(
                request,
                f"The {'text' if is_text else 'file'} is hidden for everybody. The project "
                "manager now removes it for good, or shows it again.",
            )
            return redirect(home)
    context = {
        "migration": migration,
        "what": what,
        "is_text": is_text,
        "back": home,
        "errors": errors,
    }
    status = 422 if errors else 200
    return render(request, "tracking/report.html", context, status=status)


@require_safe
def reports(request: SignedInRequest, reference: str) -> HttpResponse:
    """What is hidden and waits for a decision, and what was decided."""
    return _reports_page(request, migration_for(request, reference, Permission.REDACT))


def _reports_page(
    request: SignedInRequest,
    migration: Migration,
    *,
    errors: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    lines = queries.report_lines(migration, clock.now())
    context = {
        "migration": migration,
        "waiting": [line for line in lines if not line.report.resolved_at],
        "resolved": [line for line in reversed(lines) if line.report.resolved_at],
        "errors": errors,
    }
    return render(request, "tracking/reports.html", context, status=status)


@require_POST
def redact(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Remove what was reported for good."""
    return _decide(request, reference, pk, services.redact, done="It is removed for good.")


@require_POST
def restore(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Show what was reported again."""
    return _decide(request, reference, pk, services.restore, done="It is shown again.")


def _decide(
    request: SignedInRequest,
    reference: str,
    pk: int,
    act: Callable[..., PatientDataReport],
    *,
    done: str,
) -> HttpResponse:
    migration = migration_for(request, reference, Permission.REDACT)
    report = get_object_or_404(migration.patient_data_reports, pk=pk)
    try:
        act(report=report, by=request.user, at=clock.now())
    except Refused as refusal:
        return _reports_page(request, migration, errors=(str(refusal),), status=409)
    messages.success(request, done)
    return redirect("tracking:reports", reference)
