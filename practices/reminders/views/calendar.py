"""Calendar links: the pages on which people make and end them, and what programs read."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict
from practices.reminders import links
from practices.reminders.feeds import MOST_ENTRIES, feed
from practices.reminders.models import CalendarLink
from practices.tracking.models import Migration

TOKEN = "link"  # noqa: S105 - the name of the parameter


@login_not_required
@require_safe
def read(request: HttpRequest) -> HttpResponseBase:
    """The calendar behind a link, for whoever has it; to all others there is nothing here.

    The secret stands in the query, which no log of ours writes down.
    """
    now = clock.now()
    link = links.link_of(request.GET.get(TOKEN, ""))
    found = feed(link, now) if link else None
    if link is None or found is None:
        raise Http404
    links.note_use(link=link, at=now)
    unchanged = get_conditional_response(request, etag=found.etag)
    response = unchanged or HttpResponse(
        found.written(),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="migrations.ics"'},
    )
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = found.etag
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def calendar(request: SignedInRequest) -> HttpResponse:
    """The link to all that this person sees, and those for single migrations."""
    return _page(request, None)


@require_safe
def migration_calendar(request: SignedInRequest, reference: str) -> HttpResponse:
    """The link to the dates of one migration."""
    return _page(request, _migration(request, reference))


@require_POST
def make(request: SignedInRequest, reference: str = "") -> HttpResponse:
    """Make a link and show its address: only this once, because only its digest is kept."""
    migration = _migration(request, reference)
    seen = request.POST.get("seen", "")
    try:
        token = links.make_link(
            migration=migration,
            seen=int(seen) if seen.isascii() and seen.isdecimal() else None,
            by=request.user,
            at=clock.now(),
        )
    except Conflict as conflict:
        messages.error(request, str(conflict))
        return redirect(_address(migration))
    address = f"{settings.SITE_URL}{reverse('reminders:calendar_feed')}?{TOKEN}={token}"
    return _page(request, migration, address)


@require_POST
def revoke(request: SignedInRequest, reference: str = "") -> HttpResponse:
    """End a link; calendars that read it keep what they have, and get nothing new."""
    migration = _migration(request, reference)
    links.revoke_link(migration=migration, by=request.user, at=clock.now())
    messages.success(request, "The calendar link no longer works.")
    return redirect(_address(migration))


def _migration(request: SignedInRequest, reference: str) -> Migration | None:
    if not reference:
        return None
    visible = Migration.objects.visible_to(request.user)
    return get_object_or_404(visible.with_people(), reference=reference)


def _address(migration: Migration | None) -> str:
    if migration is None:
        return reverse("reminders:calendar")
    return reverse("reminders:migration_calendar", args=(migration.reference,))


def _page(request: SignedInRequest, migration: Migration | None, made: str = "") -> HttpResponse:
    others = CalendarLink.objects.none()
    if migration is None:
        visible = Migration.objects.visible_to(request.user)
        others = CalendarLink.objects.filter(
            person=request.user, migration__in=visible, revoked_at=None
        ).select_related("migration__practice__organisation")
    return render(
        request,
        "reminders/calendar.html",
        {
            "migration": migration,
            "link": links.present_link(request.user, migration),
            "others": others.order_by("migration__reference"),
            "made": made,
            "most": MOST_ENTRIES,
        },
    )
