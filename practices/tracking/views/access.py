"""Why a clock ran over; another end of old-system access; whether the old system is there."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.common.forms import NHSForm
from practices.common.templatetags.uk import uk_date
from practices.common.time import london_date
from practices.tracking import queries, services
from practices.tracking.forms.access import AccessCheckForm, BreachForm, ExtendForm
from practices.tracking.models import Migration
from practices.tracking.rules import in_words

from .scope import migration_for

asks = require_http_methods(["GET", "HEAD", "POST"])


def _page(
    request: SignedInRequest,
    migration: Migration,
    form: NHSForm,
    *,
    heading: str,
    meaning: list[str],
    status: int = 0,
) -> HttpResponse:
    form.cancel_url = reverse("tracking:overview", args=(migration.reference,))
    return render(
        request,
        "tracking/end.html",
        {"migration": migration, "form": form, "heading": heading, "meaning": meaning},
        status=status or (422 if form.is_bound else 200),
    )


@asks
def explain_breach(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Ask why a clock ran over its limit."""
    migration = migration_for(request, reference, Permission.RECORD_DATES)
    now = clock.now()
    run = migration.clock_runs.counting().select_related("reason").filter(key=key).first()
    if run is None or not run.is_breach(now):
        raise Http404("No clock that ran over.")
    shown = str(run.reason) if run.reason and run.reason.is_shown else ""
    form = BreachForm(
        request.POST if request.method == "POST" else None,
        initial={"seen": run.reason_id, "reason": shown},
    )
    status = 0
    if form.is_bound and form.is_valid():
        try:
            services.explain_breach(
                migration=migration,
                key=key,
                reason=form.cleaned_data["reason"],
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=now,
            )
        except Conflict as conflict:
            # Shown as it is now: pressing again is a decision taken knowing that.
            form = BreachForm({**request.POST.dict(), "seen": str(run.reason_id)})
            said = f"{conflict} It reads: “{shown}”" if shown else str(conflict)
            form.add_error(None, said)
            status = 409
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The reason is saved: {run.title}.")
            return redirect("tracking:overview", reference)
    over = in_words(run.left(now))
    meaning = [f"{run.title} {'took' if run.stopped_at else 'is'} {over} longer than its limit."]
    heading = f"Why {run.title.lower()} ran over its limit"
    return _page(request, migration, form, heading=heading, meaning=meaning, status=status)


@asks
def extend(request: SignedInRequest, reference: str) -> HttpResponse:
    """Another last day of old-system access, as agreed."""
    migration = migration_for(request, reference, Permission.REPLAN)
    now = clock.now()
    access = queries.access_now(migration, now)
    if access is None:
        raise Http404("Old-system access is not running.")
    run = access.run
    known = {"ends_on": run.ends_on, "today": london_date(now)}
    form = ExtendForm(
        request.POST if request.method == "POST" else None,
        initial={"seen": run.attempt},
        **known,
    )
    status = 0
    if form.is_bound and form.is_valid():
        try:
            moved = services.extend_access(
                migration=migration,
                agreement=form.agreement,
                seen=form.cleaned_data["seen"],
                by=request.user,
                at=now,
            )
        except Conflict as conflict:
            typed = {**request.POST.dict(), "seen": str(run.attempt)}
            form = ExtendForm(typed, **known)
            form.add_error(None, str(conflict))
            status = 409
        except Refused as refusal:
            form.add_error("until", str(refusal))
        else:
            tasks = f" {moved} open task{'' if moved == 1 else 's'} moved with it." if moved else ""
            until = uk_date(form.agreement.until)
            messages.success(request, f"Old-system access now lasts until {until}.{tasks}")
            return redirect("tracking:dates", reference)
    meaning = [
        f"Access ends at the end of {uk_date(run.ends_on)} as things stand.",
        "The clock is counted to the new day, and the tasks that hang on the end move with it.",
        "Ask before you agree: the old supplier holds the system and can end it early.",
    ]
    heading = "Extend old-system access"
    return _page(request, migration, form, heading=heading, meaning=meaning, status=status)


@asks
def check(request: SignedInRequest, reference: str) -> HttpResponse:
    """Whether the old system can still be read."""
    migration = migration_for(request, reference, Permission.RECORD_DATES)
    now = clock.now()
    access = queries.access_now(migration, now)
    if access is None:
        raise Http404("Old-system access is not running.")
    form = AccessCheckForm(
        request.POST if request.method == "POST" else None,
        initial={"checked_on": london_date(now)},
    )
    if form.is_bound and form.is_valid():
        try:
            services.check_access(migration=migration, by=request.user, at=now, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("checked_on", str(refusal))
        else:
            if form.cleaned_data["is_there"]:
                messages.success(request, "Saved: the old system is still there.")
            else:
                messages.warning(
                    request,
                    "Saved: the old system cannot be read. Tell the old supplier and the "
                    "project manager now.",
                )
            return redirect("tracking:overview", reference)
    meaning = [
        "Sign in to the old system and open a record: reading is all that is left to do there.",
        f"Access is agreed until the end of {uk_date(access.run.ends_on)}.",
    ]
    heading = "Check that the old system is still there"
    return _page(request, migration, form, heading=heading, meaning=meaning)
