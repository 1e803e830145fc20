"""What people are to be told: reads across migrations in a fixed number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.models import Event
from practices.common.time import london_date
from practices.tracking.models import Gate, Migration, Task
from practices.tracking.models.task import assignee_is_here
from practices.tracking.team import audience, tasks_of

from .models import Mute, Notification, NotificationQuerySet

Kind = Notification.Kind
MOST_COUNTED = 99


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


def overdue_of(person: User, now: datetime, *, without: Collection[int] = ()) -> Overdue:
    """The overdue tasks of one person, and counts of the migrations they manage.

    Only active migrations the person may see today and that are not among the ids
    ``without``, in a fixed number of queries.
    """
    late = Task.objects.overdue(now)
    migrations = (
        Migration.objects.visible_to(person)
        .active()
        .filter(pk__in=late.order_by().values("migration"))
        .exclude(pk__in=without)
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


def news_for(
    row: Notification, person: User, now: datetime, *, without: Collection[int]
) -> list[Notification]:
    """What a daily mail carries beside overdue tasks, oldest first; also when it is written anew.

    Left out is what has been settled since, and what stands in a migration the person may
    not see any more or has muted (``without``).
    """
    waiting = Notification.objects.for_digest(now) | Notification.objects.filter(
        digest=row, status=Notification.Status.IN_DIGEST
    )
    found = (
        waiting.filter(person=person, migration__in=Migration.objects.visible_to(person))
        .exclude(migration__in=without)
        .select_related(
            "task__plan_task", "task__own_title", "gate", "migration__practice__organisation"
        )
        .order_by("due_at", "pk")
    )
    return [notification for notification in found if _still_holds(notification)]


def _still_holds(row: Notification) -> bool:
    if row.task and row.kind == Kind.ASSIGNED:
        return row.task.assignee_id == row.person_id and row.task.is_unfinished
    if row.task and row.kind == Kind.BLOCKED:
        return row.task.state == Task.State.BLOCKED
    if row.gate and row.kind == Kind.SIGNED:
        return row.gate.state == Gate.State.SIGNED and row.gate.round == row.round
    return True


def tasks_told(row: Notification) -> list[Task]:
    """The tasks that a row about some of them still holds for, soonest due first."""
    acts = Event.objects.filter(pk__in=row.events)
    codes = [subject.partition(":")[2] for subject in acts.values_list("subject", flat=True)]
    tasks = Task.objects.filter(migration=row.migration_id, code__in=codes)
    if row.kind == Kind.ASSIGNED:
        tasks = tasks.filter(assignee=row.person_id, state__in=Task.UNFINISHED)
    else:
        tasks = tasks.filter(state=Task.State.BLOCKED)
    return list(tasks.with_people().soonest_first())


def unread_of(person: User, now: datetime) -> int:
    """How many unread rows the inbox has; counted no further than the page says."""
    return Notification.objects.inbox_of(person, now).unread()[: MOST_COUNTED + 1].count()


def inbox_rows(person: User, now: datetime) -> NotificationQuerySet:
    """The inbox as its page shows it, newest first, with all that a row is read with."""
    return (
        Notification.objects.inbox_of(person, now)
        .select_related(
            "migration__practice__organisation",
            "task__plan_task",
            "task__own_title",
            "about__person",
            "about__contact",
        )
        .defer("content", "about__content")
        .order_by("-pk")  # what is told late, and due before, is new all the same
    )


def muted_until(migration: Migration, person: User, now: datetime) -> date | None:
    """The last day on which somebody gets no mails about a migration; None when it is not muted."""
    muted = Mute.objects.on(london_date(now)).filter(person=person, migration=migration)
    return muted.values_list("until", flat=True).first()
