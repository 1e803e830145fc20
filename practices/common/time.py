"""UK time: Europe/London for people, UTC for arithmetic.

Elapsed hours are counted in UTC, so 72 hours stay 72 hours when the clocks
change. Calendar days are counted on London dates and end at the start of the
next London day, an exclusive bound (guide.md B.1 and I; reliability.md 2.1).
"""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version

# The rules of the zone come from the package tzdata, whatever the system has: what was
# counted can then say by which rules (reliability.md 2.1).
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()
TZDATA = version("tzdata")
LONDON = zoneinfo.ZoneInfo("Europe/London")

CORE_HOURS = (time(8), time(18, 30))


class MissingHour(ValueError):
    """A London wall-clock time that the spring clock change skips."""


class DoubledHour(ValueError):
    """A London wall-clock time that happens twice when the clocks go back."""


def local_to_utc(naive: datetime, *, fold: int | None = None) -> datetime:
    """Read a London wall-clock time as the UTC instant it names.

    ``fold`` says which of the two is meant in the doubled hour of October:
    0 the first (BST), 1 the second (GMT).

    Raises :class:`MissingHour` in the skipped hour of March and
    :class:`DoubledHour` in the doubled hour when ``fold`` is not given.
    """
    first = naive.replace(tzinfo=LONDON, fold=0)
    second = naive.replace(tzinfo=LONDON, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != naive:
        raise MissingHour(naive)
    if fold is None:
        raise DoubledHour(naive)
    return (second if fold else first).astimezone(UTC)


def to_london(instant: datetime) -> datetime:
    """The same instant on a London clock."""
    return instant.astimezone(LONDON)


def london_date(instant: datetime) -> date:
    """The London calendar day an instant falls on."""
    return to_london(instant).date()


def start_of_london_day(day: date) -> datetime:
    """The UTC instant at which a London day begins."""
    return datetime.combine(day, time.min, tzinfo=LONDON).astimezone(UTC)


def end_of_london_day(day: date) -> datetime:
    """The exclusive end of a London day: the UTC instant the next one begins."""
    return start_of_london_day(day + timedelta(days=1))


def london_time(day: date, at: time) -> datetime:
    """The UTC instant of a wall-clock time outside the changing hour (01:00 to 02:00)."""
    return datetime.combine(day, at, tzinfo=LONDON).astimezone(UTC)


def add_working_days(day: date, number: int, is_working: Callable[[date], bool]) -> date:
    """Count ``number`` working days on (or back, when negative) from ``day``.

    The starting day itself is never counted; with 0 it is returned as it is.
    """
    step = timedelta(days=1 if number > 0 else -1)
    left = abs(number)
    while left:
        day += step
        if is_working(day):
            left -= 1
    return day


def last_working_day(day: date, is_working: Callable[[date], bool]) -> date:
    """``day`` itself, or the last working day before it."""
    return day if is_working(day) else add_working_days(day, -1, is_working)


def in_core_hours(
    started: datetime, stopped: datetime, is_working: Callable[[date], bool]
) -> timedelta:
    """How much of a span of time falls into core hours.

    They are 08:00 to 18:30 UK time from Monday to Friday, not on bank holidays
    (guide.md I: GMS contract); ``is_working`` says which days those are.
    """
    inside = timedelta(0)
    day = london_date(started)
    while day <= london_date(stopped):
        if is_working(day):
            opens, closes = (london_time(day, at) for at in CORE_HOURS)
            inside += max(min(stopped, closes) - max(started, opens), timedelta(0))
        day += timedelta(days=1)
    return inside
