"""The home page, one's own tasks, and the dashboard across migrations."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.csv_out import SafeCSV
from practices.common.time import london_date, to_london
from practices.reminders.deliveries import undelivered
from practices.tracking.models import Migration
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.waiting import waiting

from . import queries
from .forms import Filters

PAGE = 50


@dataclass(frozen=True)
class Counter:
    text: str
    number: int
    url: str


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """Where a person's work is: their one migration, the portfolio, or a page of ways to go."""
    user = request.user
    if user.may(Permission.MANAGE_PLANS):
        return render(request, "portfolio/administrator.html")
    if user.may(Permission.VIEW_PORTFOLIO):
        return redirect("portfolio:dashboard")
    migrations = list(
        Migration.objects.visible_to(user).with_people().order_by("-started_at", "reference")
    )
    active = [migration for migration in migrations if migration.is_active]
    if len(active) == 1:
        return redirect("tracking:overview", active[0].reference)
    context = {
        "active": active,
        "own_tasks": _own_tasks(request, clock.now()) if active else None,
        "ended": [m for m in migrations if not m.is_active],
        "support_email": settings.SUPPORT_EMAIL,
    }
    return render(request, "portfolio/home.html", context)


@require_safe
def your_tasks(request: SignedInRequest) -> HttpResponse:
    """What somebody has to do in all their migrations; it is ticked on the page of each task."""
    now = clock.now()
    found = queries.own_tasks(request.user, now)
    counts = found.counts()
    show = request.GET.get("show", "")
    page = Paginator(found.shown(show), PAGE).get_page(request.GET.get("page"))
    held = waiting(page.object_list, now)
    context = {
        "choices": [
            ("all", f"All ({sum(counts.values())})"),
            *((key, f"{title} ({counts[key]})") for key, title in queries.GROUPS.items()),
        ],
        "groups": [
            (queries.GROUPS[group], [(task, held.get(task.pk, [])) for task in tasks])
            for group, tasks in groupby(page.object_list, key=found.group_of)
        ],
        "all": sum(counts.values()),
        "page_obj": page,
    }
    return render(request, "portfolio/your_tasks.html", context)


def _own_tasks(request: SignedInRequest, now: datetime) -> dict[str, int] | None:
    """How many tasks wait for this person, for the link to them; None if none can be theirs."""
    if not request.user.may(Permission.WORK_OWN_TASKS):
        return None
    return queries.own_tasks(request.user, now).counts("overdue", "soon")


@require_safe
@requires(Permission.VIEW_PORTFOLIO)
def dashboard(request: SignedInRequest) -> HttpResponse:
    """Every migration in view, with what needs somebody; all of it in the address."""
    now = clock.now()
    form, found, listed = _read(request, now)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "own_tasks": _own_tasks(request, now),
        "counters": _counters(request, found),
        "page_obj": page,
        "rows": queries.rows(cast("MigrationQuerySet", page.object_list), found, now),
        "address": _address(request),
        "shown_without": _address(request, "show"),
        "undelivered": undelivered(request.user, now)
        if request.user.may(Permission.RESEND_MAIL)
        else 0,
        "showing": queries.COUNTERS.get(form.cleaned_data.get("show", "")),
    }
    status = 422 if form.errors else 200
    return render(request, "portfolio/dashboard.html", context, status=status)


@require_safe
@requires(Permission.VIEW_PORTFOLIO)
def export(request: SignedInRequest) -> HttpResponse:
    """The list of the dashboard, all pages of it, as CSV."""
    now = clock.now()
    _, found, listed = _read(request, now)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="migrations-{london_date(now):%Y-%m-%d}.csv"'
    )
    out = SafeCSV(response)
    out.row(*CSV_COLUMNS)
    for row in queries.rows(listed, found, now):
        out.row(*_csv_row(row))
    return response


def _read(
    request: SignedInRequest, now: datetime
) -> tuple[Filters, queries.Signals, MigrationQuerySet]:
    """The filters as asked, what the counters count, and the list; a wrong filter is left out."""
    user = request.user
    in_view = Migration.objects.visible_to(user)
    form = Filters(
        request.GET, options=queries.options(in_view), manages=user.may(Permission.REPLAN)
    )
    form.is_valid()
    asked = form.cleaned_data
    chosen = queries.chosen(in_view, asked, user)
    found = queries.signals(chosen, now)
    return form, found, queries.listed(chosen, asked, found, now)


def _address(request: SignedInRequest, *without: str, **changed: str) -> str:
    """The query of this page without some of it and with some changed, from the first page on."""
    query = request.GET.copy()
    for name in ("page", *without):
        query.pop(name, None)
    for name, value in changed.items():
        query[name] = value
    return query.urlencode()


def _counters(request: SignedInRequest, found: queries.Signals) -> list[Counter]:
    """Counters with the address of exactly the list each one counts."""
    return [
        Counter(text, len(found.ids(key)), f"?{_address(request, 'state', 'phase', show=key)}")
        for key, text in queries.COUNTERS.items()
    ]


CSV_COLUMNS = (
    "Reference",
    "Practice",
    "ODS code",
    "Commissioner",
    "Old system",
    "New system",
    "Project manager",
    "State",
    "Current phase",
    "Go-live on",
    "Go-live at, UK time",
    "Go-live, ISO 8601",
    "Gone live",
    "Next key date",
    "Next key date on",
    "Tasks done",
    "Tasks needed",
    "Percent done",
    "Overdue",
    "Blocked",
    "Clock",
    "Clock ends",
)


def _csv_row(row: queries.Row) -> tuple[Any, ...]:
    go_live = to_london(row.go_live_at)
    return (
        row.reference,
        row.practice,
        row.ods_code,
        row.commissioner,
        row.source,
        row.target,
        row.project_manager,
        row.state,
        row.phase,
        # A spreadsheet takes the first two for a date and a time; the third says which hour of two.
        go_live.date().isoformat(),
        f"{go_live:%H:%M}",
        go_live.isoformat(timespec="minutes"),
        "yes" if row.has_gone_live else "no",
        row.next_date.title if row.next_date else "",
        row.next_date.on.isoformat() if row.next_date else "",
        row.done,
        row.needed,
        row.percent,
        row.overdue,
        row.blocked,
        f"{row.clock.title}: {row.clock.left}" if row.clock else "",
        row.clock.ends if row.clock else "",
    )
