"""Which mails somebody wants, and muting a migration."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Refused
from practices.common.time import london_date
from practices.reminders import choosing
from practices.reminders.forms import MuteForm, PreferencesForm
from practices.reminders.models import Mute
from practices.reminders.wishes import USUALLY, Wishes
from practices.tracking.views.scope import back, migration_for

asks = require_http_methods(["GET", "HEAD", "POST"])


@asks
def preferences(request: SignedInRequest) -> HttpResponse:
    """How this person wants to be told of what; and which migrations they have muted."""
    now = clock.now()
    wishes = Wishes([request.user.pk], now)
    now_chosen = {kind: wishes.of(request.user.pk, kind) for kind in USUALLY}
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=now_chosen)
    if form.is_bound and form.is_valid():
        changed = choosing.set_preferences(wanted=form.cleaned_data, by=request.user, at=now)
        messages.success(
            request, "Your choices are saved." if changed else "Your choices are as they were."
        )
        return redirect("reminders:preferences")
    mutes = (
        Mute.objects.on(london_date(now))
        .filter(person=request.user)
        .select_related("migration__practice__organisation", "reason")
        .order_by("until", "pk")
    )
    return render(
        request,
        "reminders/preferences.html",
        {"form": form, "mutes": mutes},
        status=422 if form.is_bound else 200,
    )


@asks
def mute(request: SignedInRequest, reference: str) -> HttpResponse:
    """Have no mails about a migration for a while."""
    migration = migration_for(request, reference, Permission.MUTE)
    now = clock.now()
    form = MuteForm(request.POST if request.method == "POST" else None)
    form.cancel_url = reverse("tracking:overview", args=[reference])
    if form.is_bound and form.is_valid():
        try:
            choosing.mute(migration=migration, by=request.user, at=now, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"No mails about {migration.name} come to you for now.")
            return redirect("reminders:preferences")
    muted = Mute.objects.on(london_date(now)).filter(person=request.user, migration=migration)
    return render(
        request,
        "reminders/mute.html",
        {"form": form, "migration": migration, "muted": muted.first()},
        status=422 if form.is_bound else 200,
    )


@require_POST
def lift_mute(request: SignedInRequest, reference: str) -> HttpResponse:
    """Have mails about a migration again."""
    migration = migration_for(request, reference, Permission.MUTE)
    if choosing.lift_mute(migration=migration, by=request.user, at=clock.now()):
        messages.success(request, f"Mails about {migration.name} come to you again.")
    return redirect(back(request, reverse("reminders:preferences")))
