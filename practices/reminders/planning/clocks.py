"""Warnings of running clocks."""

from datetime import datetime, timedelta

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, TruncDay
from django.db.models.lookups import LessThanOrEqual

from practices.accounts.roles import Owner
from practices.common.calendar import working_calendar
from practices.common.time import LONDON, london_date, london_time
from practices.plans.models import PlanClock, Unit
from practices.reminders import headlines
from practices.reminders.models import Notification
from practices.reminders.rules import MORNING, newest_due
from practices.tracking.models import ClockRun, Migration
from practices.tracking.models.clock import CHECK_EVERY
from practices.tracking.rules import DAY, HOUR

from .outbox import Draft, add, page
from .reach import Reach

Kind = Notification.Kind
EARLIEST_MORNING = timedelta(hours=7)
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
    due = [
        (run, warn)
        for run, warned_to in perhaps
        if (warn := newest_due(run, now, is_working))
        and (warned_to is None or warn.due_at > warned_to)
    ]
    if not due:
        return
    reach = Reach({run.migration_id for run, _ in due}, now=now)
    drafts = (
        Draft(
            subject=f"clock:{run.pk}:{warn.key}",
            to=reach.somebody(run.migration_id, run.plan_clock.tell),
            due_at=warn.due_at,
            kind=Kind.CLOCK,
            migration_id=run.migration_id,
            clock_run=run,
            headline=headlines.of_clock(run, now),
            path=page("tracking:overview", reach.references[run.migration_id]),
        )
        for run, warn in due
    )
    add(drafts, now)


def _perhaps_due(now: datetime) -> list[tuple[ClockRun, datetime | None]]:
    """Running clocks that may have something new to say, with the newest warning of each.

    ``newest_due`` decides; the database spares it the many that were told all there is, or
    have nothing to say yet. Each is looked up once, however many warnings its clock has.
    """
    running = ClockRun.objects.filter(state=ClockRun.State.RUNNING)
    clocks = PlanClock.objects.filter(Exists(running.filter(plan_clock=OuterRef("pk")))).in_bulk()
    if not clocks:
        return []
    told = Notification.objects.filter(clock_run=OuterRef("pk"), kind=Kind.CLOCK)
    newest = Case(*(When(plan_clock=pk, then=_newest(clock, now)) for pk, clock in clocks.items()))
    runs = list(
        running.filter(migration__state__in=Migration.ACTIVE_STATES)
        .order_by()
        .alias(newest=newest)
        .filter(~Exists(told.filter(due_at__gte=OuterRef("newest"))), newest__isnull=False)
        .annotate(warned_to=Subquery(told.order_by("-due_at").values("due_at")[:1]))
    )
    for run in runs:
        run.plan_clock = clocks[run.plan_clock_id]
    return [(run, run.warned_to) for run in runs]


def _newest(clock: PlanClock, now: datetime) -> Combinable:
    """The earliest that the newest due warning of a run can have been due; null: none is due."""
    if clock.unit == Unit.WORKING_DAYS:
        return Value(now, DateTimeField())  # the database does not know which days those are
    # The London day it starts, as a day of UTC; 08:00 UK time comes 7 or 8 hours into that.
    start: Combinable = TruncDay("started_at", tzinfo=LONDON) + EARLIEST_MORNING
    end: Combinable = F("ends_at") + EARLIEST_MORNING
    last: Combinable = F("ends_at") - DAY + EARLIEST_MORNING
    step = DAY
    if clock.unit == Unit.HOURS:
        start, end, step, last = F("started_at"), F("ends_at"), HOUR, F("ends_at")
    at = [start + n * step for n in clock.warn_after] + [last - n * step for n in clock.warn_before]
    over = _DateBin(Value(clock.repeat_every * step), Value(now), end)
    due = [When(LessThanOrEqual(end, now), then=over if clock.repeat_every else end)]
    due += [When(LessThanOrEqual(each, now), then=each) for each in at]
    # PostgreSQL leaves nulls out, and Django asks for two values at least.
    nothing = Value(None, DateTimeField())
    return Greatest(nothing, *(Case(one, output_field=DateTimeField()) for one in due))


class _DateBin(Func):
    """The newest of the instants that follow an origin at a fixed distance."""

    function = "date_bin"
    output_field = DateTimeField()


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
    drafts = (
        Draft(
            subject=f"access:{run.pk}:{today}",
            to=reach.somebody(run.migration_id, LOOK_AT_ACCESS),
            due_at=morning,
            kind=Kind.ACCESS,
            migration_id=run.migration_id,
            clock_run=run,
            headline=headlines.OLD_SYSTEM,
            path=page("tracking:check_access", reach.references[run.migration_id]),
        )
        for run in runs
    )
    add(drafts, now)
