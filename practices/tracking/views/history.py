"""Every change of a migration: who, when, before, after."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from practices.accounts.roles import Permission
from practices.common.access import SignedInRequest
from practices.tracking import sentences
from practices.tracking.queries.upgrades import last_move

from .scope import visible_migration

EVENTS_A_PAGE = 50
# What the page can be narrowed to, by the first word of an event's subject.
SHOWN = [
    ("all", "Everything"),
    ("task", "Tasks"),
    ("date", "Dates"),
    ("gate", "Sign-offs"),
    ("clock", "Clocks"),
    ("contact", "Contacts"),
]


@require_safe
def history(request: SignedInRequest, reference: str) -> HttpResponse:
    """The migration's events in words, newest first."""
    migration = visible_migration(request, reference)
    shown = request.GET.get("show", "all")
    events = sentences.readable(migration, request.user).newest_first()
    if shown in dict(SHOWN) and shown != "all":
        events = events.filter(subject__startswith=f"{shown}:")
    page = Paginator(events, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    may_undo = migration.allows(request.user, Permission.UPGRADE_MIGRATIONS)
    move = last_move(migration) if may_undo else None
    return render(
        request,
        "tracking/history.html",
        {
            "migration": migration,
            "lines": sentences.lines(migration, page.object_list),
            "page": page,
            "choices": SHOWN,
            "undoable": move.item.seq if move and not move.problem else None,
        },
    )
