"""A version tried out on a date, and checked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from practices.accounts.roles import Owner
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.calendar import working_calendar
from practices.common.time import london_time
from practices.plans.forms import PreviewForm
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.plans.rules import DatedTask, Moment, Preview, check

from .common import context_of, find_version
from .due_line import AT, sample_go_live, say
from .places import place_of, place_of_part

WIDTH = 1000  # of the picture, in its own units
THIN = 6  # the least that can be seen of a bar
MARGIN = timedelta(days=3)


@dataclass(frozen=True)
class Bar:
    """A phase in the picture: where its bar begins, how long it is, and its dates in words."""

    title: str
    first: str
    last: str
    x: int
    width: int


@dataclass(frozen=True)
class Line:
    """A task in the table."""

    row: DatedTask
    due: str
    owner: str
    url: str
    doubts: list[str]


@require_GET
@requires(Permission.VIEW_PLANS)
def preview(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The whole timeline for one go-live, as a picture and as tables."""
    version = find_version(slug, number)
    tree = tree_of(version)
    usual: dict[str, Any] = {"go_live": sample_go_live(request, clock.now())}
    form = PreviewForm(request.GET or None, initial=usual, tree=tree)
    said = form.cleaned_data if form.is_valid() else usual
    found = _preview(version, london_time(said["go_live"], AT))
    scale = _scale(found)
    context = {
        "version": version,
        "form": form,
        "go_live": said["go_live"],
        "key_dates": [(node, say(at), scale(at.at)) for node, at in found.dated_key_dates],
        "bars": _bars(found, scale),
        "lines": _lines(version, found, said.get("phase", ""), said.get("owner", "")),
        "doubts": _doubts(version, found),
        "faults": len(check(tree)),
        "width": WIDTH,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "plans/preview.html", context_of(request, **context), status=status)


@require_GET
@requires(Permission.VIEW_PLANS)
def check_version(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """What keeps a version from being published, and what deserves a second look."""
    version = find_version(slug, number)
    tree = tree_of(version)
    day = sample_go_live(request, clock.now())
    context = {
        "version": version,
        "go_live": day,
        "faults": [(fault.message, *place_of(version, tree, fault)) for fault in check(tree)],
        "doubts": _doubts(version, _preview(version, london_time(day, AT))),
    }
    return render(request, "plans/check.html", context_of(request, **context))


def _preview(version: PlanVersion, go_live_at: datetime) -> Preview:
    calendar = working_calendar()
    return Preview(tree_of(version), go_live_at, calendar.is_working, calendar.holiday_name)


def _doubts(version: PlanVersion, found: Preview) -> list[tuple[str, str, str]]:
    """Each as its sentence, the name of its part, and the page of that."""
    return [
        (
            doubt.message,
            f"{doubt.kind.replace('_', ' ').capitalize()} {doubt.key}",
            place_of_part(version, doubt.kind, doubt.key),
        )
        for doubt in found.doubts
    ]


def _scale(found: Preview):  # type: ignore[no-untyped-def]  # a function of an instant
    """Where an instant stands in the picture."""
    moments = [*found.key_dates.values(), *found.due.values()]
    begin = min((moment.at for moment in moments), default=found.go_live_at) - MARGIN
    end = max((moment.at for moment in moments), default=found.go_live_at) + MARGIN

    def scale(at: datetime) -> int:
        return round(WIDTH * ((at - begin) / (end - begin)))

    return scale


def _bars(found: Preview, scale) -> list[Bar]:  # type: ignore[no-untyped-def]
    def bar(title: str, first: Moment, last: Moment) -> Bar:
        x = scale(first.at)
        return Bar(title, say(first), say(last), x, max(THIN, scale(last.at) - x))

    return [bar(span.phase.title, span.first, span.last) for span in found.spans]


def _lines(version: PlanVersion, found: Preview, phase: str, owner: str) -> list[Line]:
    said: dict[str, list[str]] = {}
    for doubt in found.doubts:
        if doubt.kind == "task":
            said.setdefault(doubt.key, []).append(doubt.message)
    return [
        Line(
            row,
            say(row.moment),
            Owner(row.task.owner).label if row.task.owner in Owner.values else row.task.owner,
            place_of_part(version, "task", row.task.code),
            said.get(row.task.code, []),
        )
        for row in found.tasks
        if phase in ("", row.phase.key) and owner in ("", row.task.owner)
    ]
