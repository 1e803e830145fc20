"""The tasks of one person in all migrations they take part in, by how soon they are due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q

from practices.accounts.models import User
from practices.common.access import Permission
from practices.common.time import end_of_london_day, london_date
from practices.tracking.models import Migration, Task
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.team import audience, tasks_of

DUE_SOON = timedelta(days=7)

# The groups of the page, in the order of due times.
GROUPS: dict[str, str] = {
    "overdue": "Overdue",
    "soon": "Due in the next 7 days",
    "later": "Later",
}


@dataclass(frozen=True)
class OwnTasks:
    """What somebody has to do, in three groups; what falls due today in a week is still soon."""

    everything: TaskQuerySet
    now: datetime

    @property
    def _soon_until(self) -> datetime:
        return end_of_london_day(london_date(self.now) + DUE_SOON)

    def _due(self) -> dict[str, Q]:
        return {
            "overdue": Q(due_at__lte=self.now),
            "soon": Q(due_at__gt=self.now, due_at__lte=self._soon_until),
            "later": Q(due_at__gt=self._soon_until),
        }

    def counts(self, *groups: str) -> dict[str, int]:
        """How many tasks each of these groups has; all of them, if none is named."""
        due = {key: self._due()[key] for key in groups or GROUPS}
        # No others are looked at: the index gives the few that are due.
        tasks = self.everything.filter(reduce(or_, due.values()))
        return tasks.aggregate(**{key: Count("pk", filter=when) for key, when in due.items()})

    def shown(self, group: str) -> TaskQuerySet:
        """The tasks of a group, or all of them, soonest first, as a page shows them."""
        tasks = self.everything.filter(self._due().get(group, Q()))
        return (
            tasks.with_people().select_related("migration__practice__organisation").soonest_first()
        )

    def group_of(self, task: Task) -> str:
        if task.is_overdue(self.now):
            return "overdue"
        return "soon" if task.due_at <= self._soon_until else "later"


def own_tasks(person: User, now: datetime) -> OwnTasks:
    """Open and blocked tasks that are this person's today, of active migrations they may see.

    The rule is ``tasks_of``, so the page says what mails and calendars say.
    """
    if not person.may(Permission.WORK_OWN_TASKS):
        return OwnTasks(Task.objects.none(), now)
    migrations = Migration.objects.visible_to(person).active()
    # What `audience` reads of them and no more: there may be thousands.
    places = migrations.select_related("source_system", "target_system").only(
        "practice",
        "run_by",
        "project_manager",
        "source_system__supplier",
        "target_system__supplier",
    )
    acting = audience(places, now=now, person=person)
    return OwnTasks(
        tasks_of(person, Task.objects.asked_for().filter(migration__in=migrations), acting, now),
        now,
    )
