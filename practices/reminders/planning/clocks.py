"""Warnings of running clocks."""

from datetime import datetime

from django.db.models import Max

from practices.common.calendar import working_calendar
from practices.reminders import headlines
from practices.reminders.models import Notification
from practices.reminders.rules import newest_due
from practices.tracking.models import ClockRun, Migration

from .outbox import add, new, page
from .reach import Reach

Kind = Notification.Kind


def clock_warnings(now: datetime) -> None:
    """The newest due warning of each running clock, unless it or a later one was planned already.

    It goes to those who hold the roles the plan tells at this moment; who joins
    later is told the next one. The start of the next attempt counts anew.
    """
    runs = (
        ClockRun.objects.running()
        .filter(migration__state__in=Migration.ACTIVE_STATES)
        .annotate(warned_to=Max("notifications__due_at"))
    )
    is_working = working_calendar().is_working
    due = {
        run.pk: (run, warn)
        for run in runs
        if (warn := newest_due(run, now, is_working))
        and (run.warned_to is None or warn.due_at > run.warned_to)
    }
    if not due:
        return
    reach = Reach({run.migration_id for run, _ in due.values()}, now=now)
    rows = (
        new(
            f"clock:{run.pk}:{warn.key}",
            warn.due_at,
            kind=Kind.CLOCK,
            clock_run=run,
            headline=headlines.of_clock(run, now),
            path=page("tracking:overview", reach.migrations[run.migration_id].reference),
            **to,
        )
        for run, warn in due.values()
        for to in reach.of(run.migration_id, run.plan_clock.tell)
    )
    add(rows, now)
