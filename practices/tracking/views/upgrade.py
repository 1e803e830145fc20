"""Moving one migration to the newest version of its plan, after a look at what changes."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.tracking.queries.upgrades import newer_version, plan_changes
from practices.tracking.services.upgrading import preview_upgrade, target_of, upgrade_one

from .scope import migration_for


@require_http_methods(["GET", "HEAD", "POST"])
def upgrade(request: SignedInRequest, reference: str) -> HttpResponse:
    """What another version of the plan changes here, task by task; confirmed, it is done."""
    migration = migration_for(request, reference, Permission.UPGRADE_MIGRATIONS)
    version = newer_version(migration)
    asked = request.POST if request.method == "POST" else request.GET
    reopen = asked.get("reopen") == "yes"
    if version is None:
        return render(request, "tracking/upgrade_none.html", {"migration": migration})
    problem, status = "", 200
    if request.method == "POST":
        try:
            item = upgrade_one(
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
            return redirect("tracking:overview", item.migration.reference)
    context = {
        "migration": migration,
        "version": version,
        "plan": preview_upgrade(migration, target_of(version), reopen=reopen),
        "changes": plan_changes(migration.plan_version_id, version.pk),
        "reopen": reopen,
        "problem": problem,
    }
    return render(request, "tracking/upgrade.html", context, status=status)
