"""Warnings of running clocks."""

from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Exists, F, Max, OuterRef, Q

from practices.accounts.roles import Owner
from practices.common.calendar import working_calendar
from practices.common.time import london_date, london_time
from practices.plans.models import PlanClock, Unit
from practices.reminders import headlines
from practices.reminders.models import Notification
from practices.reminders.rules import MORNING, newest_due
from practices.tracking.models import ClockRun, Migration
from practices.tracking.models.clock import CHECK_EVERY
from practices.tracking.rules import DAY, HOUR

from .outbox import add, new, page
from .reach import Reach

Kind = Notification.Kind
LOOK_AT_ACCESS = (Owner.PRACTICE_MANAGER, Owner.PROJECT_MANAGER)


def clock_warnings(now: datetime) -> None:
    """The newest due warning of each running clock, unless it or a later one was planned already.

    It goes to those who hold the roles the plan tells at this moment; who joins
    later is told the next one. The start of the next attempt counts anew.
    """
    perhaps = _perhaps_due(now)
    if not perhaps:
        return
    is_working = working_calendar().is_working
    runs = ClockRun.objects.running().filter(pk__in=perhaps)
    due = {
        run.pk: (run, warn)
        for run in runs
        if (warn := newest_due(run, now, is_working))
        and ((warned_to := perhaps[run.pk]) is None or warn.due_at > warned_to)
    }
    if not due:
        return
    reach = Reach({run.migration_id for run, _ in due.values()}, now=now)
    rows: list[Notification] = []
    for run, warn in due.values():
        said = {
            "kind": Kind.CLOCK,
            "clock_run": run,
            "headline": headlines.of_clock(run, now),
            "path": page("tracking:overview", reach.migrations[run.migration_id].reference),
        }
        rows += [
            new(f"clock:{run.pk}:{warn.key}", warn.due_at, **said, **to)
            for to in reach.of(run.migration_id, run.plan_clock.tell)
        ]
    add(rows, now)


def _perhaps_due(now: datetime) -> dict[int, datetime | None]:
    """Running clocks that may have something new to say, with the newest warning of each.

    That one is an aggregate, so that the database looks it up once for each run, however
    many warnings a clock has.
    """
    running = ClockRun.objects.filter(state=ClockRun.State.RUNNING)
    clocks = PlanClock.objects.filter(Exists(running.filter(plan_clock=OuterRef("pk"))))
    runs = (
        running.filter(migration__state__in=Migration.ACTIVE_STATES)
        .order_by()
        .values("pk")
        .annotate(warned_to=Max("notifications__due_at", filter=Q(notifications__kind=Kind.CLOCK)))
        .filter(reduce(or_, (_may_be_due(clock, now) for clock in clocks), Q(pk__in=[])))
    )
    return dict(runs.values_list("pk", "warned_to"))


def _may_be_due(clock: PlanClock, now: datetime) -> Q:
    """Spares the planner runs that were told all there is: a few too many do no harm.

    ``newest_due`` decides. Mornings are at 08:00 UK time, which is 7 to 8 hours into a day.
    """
    if clock.unit == Unit.WORKING_DAYS:
        return Q(plan_clock=clock)
    due = Q(warned_to=None) | Q(ends_at__lte=now, warned_to__lt=F("ends_at"))
    every = clock.repeat_every * (HOUR if clock.unit == Unit.HOURS else DAY)
    if every:
        due |= Q(ends_at__lte=now, warned_to__lte=now - every + 2 * HOUR)
    for n in clock.warn_after:
        if clock.unit == Unit.HOURS:
            due |= Q(started_at__lte=now - n * HOUR, warned_to__lt=F("started_at") + n * HOUR)
        else:
            due |= Q(started_at__lte=now - (n - 1) * DAY)
    for n in clock.warn_before:
        if clock.unit == Unit.HOURS:
            due |= Q(ends_at__lte=now + n * HOUR, warned_to__lt=F("ends_at") - n * HOUR)
        else:
            day = n * DAY + DAY  # the end is that of its last day
            due |= Q(ends_at__lte=now + day, warned_to__lt=F("ends_at") - day + 6 * HOUR)
    return Q(plan_clock=clock) & due


def access_checks(now: datetime) -> None:
    """Once a week, while the old system can be read, whoever is to look whether that is true.

    Access that ends early is found when somebody needs a record (guide.md B3), so it is
    looked at before. Asked on working mornings, and again a week later.
    """
    calendar, today = working_calendar(), london_date(now)
    morning = london_time(today, MORNING)
    if now < morning or not calendar.is_working(today):
        return
    asked = Notification.objects.filter(
        kind=Kind.ACCESS, clock_run=OuterRef("pk"), due_at__gt=morning - CHECK_EVERY
    )
    runs = list(
        ClockRun.objects.access_check_due(now).filter(
            ~Exists(asked), migration__state__in=Migration.ACTIVE_STATES
        )
    )
    if not runs:
        return
    reach = Reach({run.migration_id for run in runs}, now=now)
    rows = (
        new(
            f"access:{run.pk}:{today}",
            morning,
            kind=Kind.ACCESS,
            clock_run=run,
            headline=headlines.OLD_SYSTEM,
            path=page("tracking:check_access", reach.migrations[run.migration_id].reference),
            **to,
        )
        for run in runs
        for to in reach.of(run.migration_id, LOOK_AT_ACCESS)
    )
    add(rows, now)
