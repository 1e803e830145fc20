"""When a reminder is due. Pure: the rows are values, the time is an argument.

Source of the times: guide.md B.1 and J; house.md "How data travels: notice".
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from practices.common.time import add_working_days, london_date, london_time
from practices.plans.models import Unit
from practices.tracking.models import ClockRun
from practices.tracking.rules import DAY, HOUR, MINUTE

MORNING = time(8)  # UK time
GIVE_UP_AFTER = timedelta(hours=24)
LONGEST_WAIT = timedelta(hours=1)
AUTHENTICATION_REQUIRED = 530


class Warn(NamedTuple):
    """A warning of a clock run: the instant it falls due, and which of the plan's it is."""

    due_at: datetime
    key: str


def warnings(run: ClockRun, is_working: Callable[[date], bool]) -> list[Warn]:
    """Every warning of a run, first due first.

    The plan counts both from the start and back from the end in the clock's
    own unit. Hours are elapsed hours, to the minute; days are told at 08:00
    UK time on that London day, 0 days before the end being the last day. What
    would have been due before the clock started is left out.
    """
    clock = run.plan_clock
    if run.counts_hours:
        found = [Warn(run.started_at + n * HOUR, f"after-{n}") for n in clock.warn_after]
        found += [Warn(run.ends_at - n * HOUR, f"before-{n}") for n in clock.warn_before]
    else:

        def morning(day: date, number: int) -> datetime:
            if run.unit == Unit.WORKING_DAYS:
                day = add_working_days(day, number, is_working)
            else:
                day += number * DAY
            return london_time(day, MORNING)

        first = london_date(run.started_at)
        found = [Warn(morning(first, n), f"after-{n}") for n in clock.warn_after]
        found += [Warn(morning(run.ends_on, -n), f"before-{n}") for n in clock.warn_before]
    return sorted(warn for warn in found if warn.due_at >= run.started_at)


def newest_due(run: ClockRun, now: datetime, is_working: Callable[[date], bool]) -> Warn | None:
    """The warning that should have been given last.

    Older ones that were missed are not made up for: after an outage one mail
    says how things stand, instead of several that say how they stood.
    """
    due = [warn for warn in warnings(run, is_working) if warn.due_at <= now]
    if over := _over(run, now):
        due.append(over)
    return max(due, default=None)


def _over(run: ClockRun, now: datetime) -> Warn | None:
    """That the end has passed, which is always said, and its newest repetition.

    Hours are over to the minute; days are told over on the morning after the last one.
    """

    def told(number: int) -> datetime:
        if run.counts_hours:
            return run.ends_at + number * HOUR
        return london_time(run.ends_on + (number + 1) * DAY, MORNING)

    if run.counts_hours:
        passed = (now - run.ends_at) // HOUR
    else:
        today = london_date(now)
        morning = today if london_time(today, MORNING) <= now else today - DAY
        passed = (morning - run.ends_on).days - 1
    if passed < 0:
        return None
    every = run.plan_clock.repeat_every
    number = passed // every * every if every else 0
    return Warn(told(number), f"over-{number}")


def overdue_day(now: datetime) -> tuple[date, datetime] | None:
    """The London day whose overdue tasks are told now, and since when; None before 08:00.

    A missed morning is made up for on the same day, never on a later one.
    """
    day = london_date(now)
    due_at = london_time(day, MORNING)
    return (day, due_at) if due_at <= now else None


def wait_before_retry(attempts: int, jitter: float) -> timedelta:
    """1, 2, 4 ... minutes and at most an hour, times ``jitter`` so that retries spread out."""
    return min(2 ** min(attempts - 1, 10) * MINUTE, LONGEST_WAIT) * jitter


def is_given_up(first_failed_at: datetime, now: datetime) -> bool:
    """Whether a mail has been failing for so long that a person has to look."""
    return now - first_failed_at >= GIVE_UP_AFTER


def is_refused_for_good(code: int) -> bool:
    """Whether the server's answer to a recipient or a mail will not change by itself.

    A server that wants us to sign in says nothing about the recipient.
    """
    return 500 <= code < 600 and code != AUTHENTICATION_REQUIRED
