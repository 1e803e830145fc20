"""A migration's home, and its clocks, which bring themselves up to date."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.tracking import panels, queries
from practices.tracking.models import KeyDate, Migration
from practices.tracking.queries.upgrades import newer_version
from practices.tracking.rules import EOA, FDP, GL

from .scope import visible_migration


@require_safe
def overview(request: SignedInRequest, reference: str) -> HttpResponse:
    """What is due, how far it is, which clocks run, who to call."""
    migration = visible_migration(request, reference)
    now = clock.now()
    viewer = queries.Viewer(request.user, migration, now)
    dates = list(migration.key_dates.select_related("plan_key_date").in_order())
    mine = queries.next_tasks(viewer)
    gates = queries.gate_lines(migration)
    may_mute = migration.is_active and viewer.may(Permission.MUTE)
    answers = list(migration.conditions.values_list("answer", flat=True))
    return render(
        request,
        "tracking/overview.html",
        {
            "migration": migration,
            "viewer": viewer,
            "now": now,
            "dates": dates,
            **_clocks(viewer, queries.go_live_of(dates)),
            "access": queries.access_now(migration, now),
            "may_check": migration.is_active and viewer.may(Permission.RECORD_DATES),
            "mine": mine,
            "rows": mine or queries.due_next(viewer),
            "place": "next",
            "back": request.path,
            "late": queries.late(viewer),
            "hidden": queries.hidden_count(viewer),
            "may_redact": viewer.may(Permission.REDACT),
            "phases": queries.phase_lines(migration, now),
            "gates": gates,
            "bypasses": [bypass for line in gates for bypass in line.bypasses],
            "contacts": migration.contacts.filter(removed_at=None).order_by("role", "name"),
            "may_change_dates": migration.is_active
            and (viewer.may(Permission.RECORD_DATES) or viewer.may(Permission.REPLAN)),
            "may_hand_over": migration.is_active and viewer.may(Permission.START_MIGRATION),
            "may_mute": may_mute,
            "muted_until": panels.muted_until(migration, request.user, now) if may_mute else None,
            "newer": newer_version(migration)
            if viewer.may(Permission.UPGRADE_MIGRATIONS)
            else None,
            "unanswered": migration.is_active and answers.count(None),
            "links": _links(migration, viewer, has_questions=bool(answers)),
        },
    )


def _clocks(viewer: queries.Viewer, go_live: KeyDate) -> dict[str, Any]:
    days = go_live.days_to(viewer.now)
    return {
        "go_live": go_live,
        "days_to_go": days,
        "days_since": -days,
        "clocks": queries.clocks_now(viewer.migration, viewer.now),
        "may_explain": viewer.may(Permission.RECORD_DATES),
    }


State = Migration.State


def _links(
    migration: Migration, viewer: queries.Viewer, *, has_questions: bool
) -> list[tuple[str, str]]:
    """What else this person can do here, as (text, address)."""
    acts = [
        ("Change go-live", "replan", (GL,), Permission.REPLAN, (State.PLANNING, State.CUT_OVER)),
        (
            "Record final data production",
            "record",
            (FDP,),
            Permission.RECORD_DATES,
            (State.PLANNING,),
        ),
        ("Record go-live", "record", (GL,), Permission.RECORD_DATES, (State.CUT_OVER,)),
        (
            "Record the end of old-system access",
            "record",
            (EOA,),
            Permission.RECORD_DATES,
            (State.POST_GO_LIVE,),
        ),
        (
            "Extend old-system access",
            "extend_access",
            (),
            Permission.REPLAN,
            (State.POST_GO_LIVE,),
        ),
        ("Abort the cut-over", "abort_cut_over", (), Permission.END_MIGRATION, (State.CUT_OVER,)),
        ("Cancel the migration", "cancel", (), Permission.END_MIGRATION, (State.PLANNING,)),
        ("Delete the migration", "delete", (), Permission.END_MIGRATION, (State.PLANNING,)),
        ("Close the migration", "finish", (), Permission.END_MIGRATION, (State.ACCESS_ENDED,)),
    ]
    links = [
        (text, name, more)
        for text, name, more, permission, states in acts
        if migration.state in states and viewer.may(permission)
    ]
    if has_questions:
        links.append(("About this practice", "conditions", ()))
    if migration.is_active and viewer.may(Permission.UPGRADE_MIGRATIONS):
        links.append(("Version of the plan", "upgrade", ()))
    links.append(("History", "history", ()))
    if viewer.may(Permission.REDACT):
        links.append(("Reported patient data", "reports", ()))
    return [
        (text, reverse(f"tracking:{name}", args=(migration.reference, *more)))
        for text, name, more in links
    ]


@require_safe
def clocks(request: SignedInRequest, reference: str) -> HttpResponse:
    """The clocks alone, for a page that asks again every half minute."""
    if not request.htmx:
        return redirect("tracking:overview", reference)
    migration = visible_migration(request, reference)
    go_live = migration.key_dates.select_related("plan_key_date").get(key=GL)
    now = clock.now()
    viewer = queries.Viewer(request.user, migration, now)
    context = {"migration": migration, "now": now, **_clocks(viewer, go_live)}
    return render(request, "tracking/_clocks.html", context)
