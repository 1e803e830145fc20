"""Moving one migration to the newest version of its plan, after a look at what changes."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.tracking.queries.upgrades import last_move, newer_version, plan_changes
from practices.tracking.services.upgrading import (
    preview_upgrade,
    target_of,
    undo_upgrade,
    upgrade_one,
)

from .scope import migration_for


@require_http_methods(["GET", "HEAD", "POST"])
def upgrade(request: SignedInRequest, reference: str) -> HttpResponse:
    """What another version of the plan changes here, task by task; confirmed, it is done."""
    migration = migration_for(request, reference, Permission.UPGRADE_MIGRATIONS)
    version = newer_version(migration)
    asked = request.POST if request.method == "POST" else request.GET
    reopen = asked.get("reopen") == "yes"
    if version is None:
        context: dict[str, Any] = {"migration": migration, "move": last_move(migration)}
        return render(request, "tracking/upgrade_none.html", context)
    problem, status = "", 200
    if request.method == "POST":
        try:
            upgrade_one(
                migration=migration,
                version=version,
                # Without a mark nobody has looked.
                seen=request.POST.get("seen") or "unseen",
                reopen=reopen,
                by=request.user,
                at=clock.now(),
            )
        except Conflict as conflict:
            problem, status = str(conflict), 409
        except Refused as refusal:
            problem, status = str(refusal), 422
        else:
            messages.success(
                request,
                f"The migration has version {version.number} of the plan now, as its history says.",
            )
            # Not home: this page says whether it can be undone.
            return redirect("tracking:upgrade", reference)
    plan = preview_upgrade(migration, target_of(version), reopen=reopen)
    context = {
        "migration": migration,
        "version": version,
        "plan": plan,
        "late": plan.overdue_at_once(clock.now()),
        "changes": plan_changes(migration.plan_version_id, version.pk),
        "reopen": reopen,
        "problem": problem,
        "move": last_move(migration),
    }
    return render(request, "tracking/upgrade.html", context, status=status)


@require_POST
def undo(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Take a move back, as long as nobody has worked on the migration since."""
    migration = migration_for(request, reference, Permission.UPGRADE_MIGRATIONS)
    moves = migration.upgrades.select_related("run__version", "from_version")
    item = get_object_or_404(moves, pk=pk)
    try:
        undo_upgrade(item=item, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        number = item.from_version.number
        messages.success(request, f"The migration has version {number} of the plan again.")
    return redirect("tracking:upgrade", reference)
