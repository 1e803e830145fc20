"""Pure rules of one migration: its states, its dates around go-live, spans of time in words.

No database and no present time in here: instants are arguments.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from practices.common.time import start_of_london_day
from practices.plans.rules import Moment, Unit

from .models import Migration

FDP, GL, EOA = "FDP", "GL", "EOA"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

State = Migration.State
# Every allowed change of a migration's state, by what happens to it.
TRANSITIONS: dict[tuple[str, str], str] = {
    (State.PLANNING, "record FDP"): State.CUT_OVER,
    (State.CUT_OVER, "clear FDP"): State.PLANNING,
    (State.CUT_OVER, "record GL"): State.POST_GO_LIVE,
    (State.POST_GO_LIVE, "clear GL"): State.CUT_OVER,
    (State.POST_GO_LIVE, "record EOA"): State.ACCESS_ENDED,
    (State.ACCESS_ENDED, "clear EOA"): State.POST_GO_LIVE,
    (State.ACCESS_ENDED, "finish"): State.FINISHED,
    (State.PLANNING, "cancel"): State.CANCELLED,
    (State.PLANNING, "delete"): State.DELETED,
}
STAGE_DATES = (FDP, GL, EOA)


def offset_from_go_live(moment: Moment, go_live: Moment, *, has_time: bool) -> int:
    """How far a date lies from go-live: minutes for a time, days for a day."""
    if has_time:
        return (moment.at - go_live.at) // MINUTE
    return (moment.on - go_live.on).days


def from_go_live(offset: int, go_live: Moment, *, has_time: bool) -> Moment:
    """The inverse of :func:`offset_from_go_live`."""
    if has_time:
        return Moment.of_instant(go_live.at + offset * MINUTE)
    return Moment.of_day(go_live.on + offset * DAY)


def clock_start(moment: Moment, *, has_time: bool) -> datetime:
    """When a clock starts that a date starts: at its minute, or as its day begins."""
    return moment.at if has_time else start_of_london_day(moment.on)


def over_by(started: datetime, stopped: datetime, limit_hours: int) -> timedelta:
    """How far a span of elapsed time is over its limit; zero when it fits."""
    return max(stopped - started - limit_hours * HOUR, timedelta(0))


class Limit(Protocol):
    """A clock of a plan, as far as planned dates can break it."""

    title: Any
    starts: Any
    stops: Any
    limit: Any
    unit: Any


def limit_warning(clock: Limit, dates: Mapping[str, Moment]) -> str:
    """A sentence where planned dates already break a limit of elapsed hours (guide.md I)."""
    if clock.unit != Unit.HOURS or clock.starts not in dates or clock.stops not in dates:
        return ""
    started, stopped = dates[clock.starts].at, dates[clock.stops].at
    over = over_by(started, stopped, clock.limit)
    if not over:
        return ""
    return (
        f"The planned {clock.title.lower()} lasts {in_hours(stopped - started)}, "
        f"{in_hours(over)} over the limit of {in_hours(clock.limit * HOUR)}."
    )


def same_name(typed: str, name: str) -> bool:
    """Whether somebody typed their name: capitals and spacing do not matter."""
    return " ".join(typed.split()).casefold() == " ".join(name.split()).casefold()


def in_hours(span: timedelta) -> str:
    """``85 hours 30 minutes``; the sign is left out."""
    hours, minutes = divmod(abs(span) // MINUTE, 60)
    return _said((hours, "hour"), (minutes, "minute")) or "0 minutes"


def in_words(span: timedelta) -> str:
    """A span of time as people say it: ``4 days 3 hours``, ``41 hours``, ``5 minutes``.

    Up to 72 hours are said in hours, as the cut-over clock is; the sign is left out.
    """
    hours = abs(span) // HOUR
    if hours <= 72:
        return in_hours(span)
    days, hours = divmod(hours, 24)
    return _said((days, "day"), (hours, "hour"))


def _said(*parts: tuple[int, str]) -> str:
    return " ".join(
        f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in parts if number
    )
