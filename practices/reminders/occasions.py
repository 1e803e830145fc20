"""When a reminder of the plan is given. Pure: rows are values, times are arguments.

Days are told at 08:00 UK time, hours to the minute. What a plan wants on working
mornings only is held for one: what counts back to a date comes on the last working
morning before, everything else on the next (guide.md J; docs/plans.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from practices.common.time import add_working_days, london_date, london_time
from practices.plans.rules import Delivery, Moment, Unit
from practices.tracking.rules import DAY, HOUR

from .rules import MORNING

IsWorking = Callable[[date], bool]


class ReminderLike(Protocol):
    """A reminder of a plan: a stored row or a node of the tree."""

    @property
    def offsets(self) -> list[int]: ...
    @property
    def unit(self) -> str: ...
    @property
    def repeat_every(self) -> int: ...
    @property
    def deliver(self) -> str: ...


@dataclass(frozen=True)
class Anchor:
    """What a reminder counts from, and whether that has happened or is only planned."""

    moment: Moment
    happened: bool


def newest_occasion(
    reminder: ReminderLike, anchor: Anchor, now: datetime, is_working: IsWorking
) -> datetime | None:
    """When the reminder should have been given last, as things stand at ``now``.

    What follows a date is told only once that has happened: nobody switches
    prescriptions back on because a go-live was planned for yesterday.
    """
    due = [at for at in _occasions(reminder, anchor, now, is_working) if at <= now]
    return max(due, default=None)


def is_occasion(
    reminder: ReminderLike, anchor: Anchor, at: datetime, is_working: IsWorking
) -> bool:
    """Whether the reminder is still given at this instant: dates may have been moved since."""
    return newest_occasion(reminder, anchor, at, is_working) == at


def _occasions(
    reminder: ReminderLike, anchor: Anchor, now: datetime, is_working: IsWorking
) -> Iterator[datetime]:
    offsets = [offset for offset in reminder.offsets if anchor.happened or offset <= 0]
    for offset in offsets:
        yield _held(
            reminder, _counted(reminder.unit, anchor.moment, offset, is_working), offset, is_working
        )
    last = max(reminder.offsets)
    if reminder.repeat_every and last in offsets:
        first = _counted(reminder.unit, anchor.moment, last, is_working)
        yield from _repeats(reminder, first, now, is_working)


def _counted(unit: str, anchor: Moment, offset: int, is_working: IsWorking) -> datetime:
    if unit == Unit.HOURS:
        return anchor.at + offset * HOUR
    if unit == Unit.WORKING_DAYS:
        return london_time(add_working_days(anchor.on, offset, is_working), MORNING)
    return london_time(anchor.on + offset * DAY, MORNING)


def _repeats(
    reminder: ReminderLike, first: datetime, now: datetime, is_working: IsWorking
) -> Iterator[datetime]:
    """The newest repetition that is not after ``now``; earlier ones do not matter any more."""
    every = reminder.repeat_every
    begun = london_date(first)
    number = (london_date(now) - begun).days // every
    while number > 0:
        # Hours go on in hours, whatever the clocks on the wall do.
        shift = number * every * DAY
        at = first + shift if reminder.unit == Unit.HOURS else london_time(begun + shift, MORNING)
        held = _held(reminder, at, number, is_working)
        if held <= now:
            yield held
            return
        number -= 1


def _held(reminder: ReminderLike, at: datetime, offset: int, is_working: IsWorking) -> datetime:
    """``at``, or the working morning it is held for."""
    if reminder.deliver == Delivery.ANY_HOUR:
        return at
    day = london_date(at)
    morning = london_time(day, MORNING)
    if offset < 0:
        step = -DAY
        if at < morning:
            day += step
    else:
        step = DAY
        if at > morning:
            day += step
    while not is_working(day):
        day += step
    return london_time(day, MORNING)
