"""What is late, and for whom: reads across migrations in a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.time import london_date
from practices.tracking.models import Migration, Task
from practices.tracking.models.task import assignee_is_here
from practices.tracking.team import audience, tasks_of


def people_with_overdue_tasks(now: datetime) -> set[int]:
    """Active people who have overdue tasks of their own, or manage a migration that has some."""
    late = list(
        Task.objects.overdue(now)
        .filter(migration__state__in=Migration.ACTIVE_STATES)
        .annotate(with_somebody=assignee_is_here(london_date(now)))
        .order_by()
        .values_list("migration", "assignee", "owner", "with_somebody")
        .distinct()
    )
    if not late:
        return set()
    migrations = Migration.objects.with_people().in_bulk({migration for migration, *_ in late})
    acting = audience(migrations.values(), now=now)
    people = set().union(*(acting[pk, Owner.PROJECT_MANAGER] for pk in migrations))
    for migration, assignee, owner, with_somebody in late:
        if with_somebody:
            people |= {assignee} | acting.deputies[migration, assignee]
        else:
            people |= acting[migration, owner]
    return set(User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True))


@dataclass(frozen=True)
class Managed:
    """A migration somebody manages, with how many of its tasks are overdue, whoever's they are."""

    migration: Migration
    overdue: int


@dataclass(frozen=True)
class Overdue:
    """What one person is told in the morning."""

    tasks: Sequence[Task]
    managed: list[Managed]

    def __bool__(self) -> bool:
        return bool(self.tasks or self.managed)


def overdue_of(person: User, now: datetime) -> Overdue:
    """The overdue tasks of one person, and counts of the migrations they manage.

    Only active migrations the person may see today, in a fixed number of queries.
    """
    late = Task.objects.overdue(now)
    migrations = (
        Migration.objects.visible_to(person)
        .active()
        .filter(pk__in=late.order_by().values("migration"))
        .with_people()
        .in_bulk()
    )
    acting = audience(migrations.values(), now=now, person=person)
    mine = list(
        tasks_of(person, late.filter(migration__in=migrations), acting, now)
        .with_people()
        .soonest_first()
    )
    for task in mine:
        task.migration = migrations[task.migration_id]
    manages = [pk for pk in migrations if person.pk in acting[pk, Owner.PROJECT_MANAGER]]
    counts = (
        late.filter(migration__in=manages)
        .order_by()
        .values_list("migration")
        .annotate(number=Count("pk"))
    )
    managed = [Managed(migrations[migration], number) for migration, number in counts]
    return Overdue(mine, sorted(managed, key=lambda row: (-row.overdue, row.migration.name)))
