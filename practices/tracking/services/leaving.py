"""Somebody leaves: their role ends, and what was theirs to do goes to somebody who stays."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import Membership, User
from practices.accounts.services import end_membership
from practices.tracking.models import Migration, Task
from practices.tracking.models.task import TaskQuerySet

from ._base import lock
from .tasks import assign_task


def tasks_left_by(membership: Membership) -> TaskQuerySet:
    """Unfinished tasks assigned to a person in the migrations their role has a part in.

    A deputy leaves none: what was assigned to them by name is theirs by another role.
    """
    if membership.deputy_for_id is not None:
        return Task.objects.none()
    migrations = Migration.objects.active().of_membership(membership)
    return Task.objects.open().filter(migration__in=migrations, assignee=membership.person_id)


@transaction.atomic
def leave(
    *, membership: Membership, hand_to: User | None, keep: bool, by: User, at: datetime
) -> int:
    """End a role, and give the person's open tasks to ``hand_to`` or back to their role.

    With ``keep`` they stay with the person, who has another role there. How many were
    handed on. Raises :class:`Refused` when the role is over already, or ``hand_to`` has
    no part in one of the migrations: then nothing is changed.
    """
    tasks = [] if keep else list(tasks_left_by(membership).order_by("migration", "code"))
    # Migrations first, in one order, then what is in them (decision 9).
    migrations = Migration.objects.filter(pk__in={task.migration_id for task in tasks})
    locked = {migration.pk: lock(migration) for migration in migrations.order_by("pk")}
    for task in tasks:
        task.migration = locked[task.migration_id]
        assign_task(task=task, assignee=hand_to, by=by, at=at)
    end_membership(membership=membership, by=by, at=at)
    return len(tasks)
