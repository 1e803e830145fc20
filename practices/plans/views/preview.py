"""A version tried out on a date, and checked."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.views.decorators.http import require_GET

from practices.accounts.roles import Owner
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.calendar import working_calendar
from practices.common.time import london_time
from practices.plans.forms import PreviewForm
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.plans.rules import KINDS, Doubt, PlanTree, Preview, check, doubts

from .common import context_of, find_version
from .due_line import AT, sample_go_live, say
from .places import place_of, place_of_part
from .timeline import Timeline


@dataclass(frozen=True)
class Line:
    """A task in the table."""

    code: str
    title: str
    due: str
    owner: str
    phase: str
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
    found = _preview(tree, london_time(said["go_live"], AT))
    noted = doubts(found)
    timeline = Timeline(found, noted)
    context = {
        "version": version,
        "form": form,
        "go_live": said["go_live"],
        "go_live_at": found.go_live_at,
        "key_dates": [
            (node, say(at), timeline.x(at.at), timeline.of("key_date", node.key))
            for node, at in found.dated_key_dates
        ],
        "phases": timeline.phases(),
        "gates": timeline.gates(),
        "clocks": timeline.clocks(),
        "lines": _lines(version, found, timeline, said.get("phase", ""), said.get("owner", "")),
        "doubts": _placed(version, tree, noted),
        "faults": _faults(version, tree),
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
        "faults": _faults(version, tree),
        "doubts": _placed(version, tree, doubts(_preview(tree, london_time(day, AT)))),
    }
    return render(request, "plans/check.html", context_of(request, **context))


def _preview(tree: PlanTree, go_live_at: datetime) -> Preview:
    calendar = working_calendar()
    return Preview(tree, go_live_at, calendar.is_working, calendar.holiday_name)


def _faults(version: PlanVersion, tree: PlanTree) -> list[tuple[str, str, str]]:
    """As :func:`_placed` gives doubts."""
    return [(fault.message, *place_of(version, tree, fault)) for fault in check(tree)]


def _placed(version: PlanVersion, tree: PlanTree, noted: list[Doubt]) -> list[tuple[str, str, str]]:
    """Each as its sentence, the name of its part, and the page of that."""
    titles = {
        (kind, node.key): node.title
        for kind in KINDS
        if kind != "task"
        for node in getattr(tree, f"{kind}s")
    }
    kinds = {kind: capfirst(kind.replace("_", " ")) for kind in KINDS}
    return [
        (
            doubt.message,
            f"{kinds[doubt.kind]} {titles.get((doubt.kind, doubt.key), doubt.key)}",
            place_of_part(version, doubt.kind, doubt.key),
        )
        for doubt in noted
    ]


def _lines(
    version: PlanVersion, found: Preview, timeline: Timeline, phase: str, owner: str
) -> list[Line]:
    """The tasks that are asked for; only those of a draft have a page of their own."""
    owners = dict(Owner.choices)
    said = cache(say)  # many tasks share a few days
    return [
        Line(
            row.task.code,
            f"{row.task.code} {row.task.title}",
            said(row.moment),
            owners.get(row.task.owner, row.task.owner),
            row.phase.title,
            place_of_part(version, "task", row.task.code) if version.content else "",
            timeline.of("task", row.task.code),
        )
        for row in found.tasks
        if phase in ("", row.phase.key) and owner in ("", row.task.owner)
    ]
