"""The first step of every view of this room: what this person may see and do."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.tracking.models import Migration, Task
from practices.tracking.queries import Viewer


def visible_migration(request: SignedInRequest, reference: str) -> Migration:
    """The migration, if this person may see it; a stranger gets 404."""
    return get_object_or_404(
        Migration.objects.visible_to(request.user).with_people(), reference=reference
    )


def migration_for(request: SignedInRequest, reference: str, permission: Permission) -> Migration:
    """The migration, for an act; who sees it but may not do this gets 403."""
    migration = visible_migration(request, reference)
    if not migration.allows(request.user, permission):
        raise PermissionDenied
    return migration


def visible_task(request: SignedInRequest, reference: str, code: str) -> Task:
    """A task of a migration this person may see."""
    migration = visible_migration(request, reference)
    task = get_object_or_404(Task.objects.with_people(), migration=migration, code=code)
    task.migration = migration
    return task


def workable_task(request: SignedInRequest, reference: str, code: str) -> Task:
    """A task this person may tick: any with the right to all, else their own."""
    task = visible_task(request, reference, code)
    if not Viewer(request.user, task.migration, clock.now()).may_work(task):
        raise PermissionDenied
    return task


def task_for(request: SignedInRequest, reference: str, code: str, permission: Permission) -> Task:
    """A task, for an act that needs a permission in its migration."""
    task = visible_task(request, reference, code)
    if not task.migration.allows(request.user, permission):
        raise PermissionDenied
    return task


def back(request: SignedInRequest, fallback: str) -> str:
    """Where the person came from, if ``next`` names a page of this site; else ``fallback``."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    secure = request.is_secure()
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=secure)
    # Without the slash, redirect() would take it for the name of an address.
    return asked if ours and asked.startswith("/") else fallback
