"""The clocks of a migration in words, at an instant."""

from dataclasses import dataclass
from datetime import datetime

from practices.common.calendar import WorkingCalendar, working_calendar
from practices.common.models import Event
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import in_core_hours, london_date
from practices.plans.models import PlanClock, Unit
from practices.tracking.models import ClockRun, Migration
from practices.tracking.rules import end_note, in_hours, in_words


@dataclass(frozen=True)
class ClockNow:
    """A clock run at an instant, in words and with the tag it gets."""

    run: ClockRun
    now: datetime

    @property
    def _hours(self) -> bool:
        return self.run.counts_hours

    @property
    def limit(self) -> str:
        """``72 hours``, ``45 days``."""
        return f"{self.run.limit} {self._unit}{'' if self.run.limit == 1 else 's'}"

    @property
    def limit_name(self) -> str:
        """``72-hour limit``, ``45-day limit``."""
        return f"{self.run.limit}-{self._unit.replace(' ', '-')} limit"

    @property
    def _unit(self) -> str:
        unit = {Unit.HOURS: "hour", Unit.DAYS: "day", Unit.WORKING_DAYS: "working day"}
        return unit[Unit(self.run.unit)]

    @property
    def headline(self) -> str:
        """``41 hours left of 72``, ``5 hours over the limit of 72``, or what it came to."""
        run = self.run
        if not run.is_running:
            return f"Took {self._taken} of {self.limit}"
        if self._hours:
            span = in_words(run.left(self.now))
            return f"{span} over {self.limit}" if self.is_over else f"{span} left of {run.limit}"
        if self.is_over:
            return f"{_days((london_date(self.now) - run.ends_on).days)} over {self.limit}"
        left = run.days_left(self.now)
        return f"{_days(left)} left of {run.limit}" if left else f"Last day of {run.limit}"

    @property
    def _taken(self) -> str:
        run = self.run
        if self._hours:
            return in_words(run.used(self.now))
        return _days(((run.stopped_on or london_date(self.now)) - london_date(run.started_at)).days)

    @property
    def is_over(self) -> bool:
        return self.run.is_over(self.now)

    @property
    def tag(self) -> tuple[str, str]:
        """Status in words and its colour."""
        run = self.run
        if run.is_running:
            if self.is_over:
                return "Over the limit", "red"
            warned = [hours for hours in run.plan_clock.warn_after if hours < run.limit]
            due = run.plan_clock.warn_before
            hours_used = run.used(self.now).total_seconds() / 3600
            close = (self._hours and len(warned) > 1 and hours_used >= warned[-2]) or (
                bool(due) and not self._hours and run.days_left(self.now) <= max(due)
            )
            return ("Ending soon", "orange") if close else ("Running", "blue")
        return ("Within the limit", "green") if run.state == run.State.MET else ("Over", "red")


@dataclass(frozen=True)
class ClockCard(ClockNow):
    """The same with what only a calendar knows: core hours, and ends that nobody works on."""

    calendar: WorkingCalendar

    @property
    def end_note(self) -> str:
        """The last working day before an end on a weekend or bank holiday; for limits in days."""
        return "" if self._hours else end_note(self.run.ends_on, self.calendar)

    @property
    def core_hours(self) -> str:
        """How much of a limit in hours has been core hours, so far or in all (guide.md B.1)."""
        if not self._hours:
            return ""
        run = self.run
        last = max(run.stopped_at or self.now, run.started_at)
        span = in_core_hours(run.started_at, last, self.calendar.is_working)
        return in_hours(span) if span else "none"

    @property
    def is_breach(self) -> bool:
        return self.run.is_breach(self.now)

    def begins(self) -> str:
        """What starting means, with the exact end in UK time."""
        run = self.run
        if self._hours:
            return f"{run.title}: the limit of {run.limit} hours ends {uk_datetime(run.ends_at)}."
        note = f" {self.end_note}" if self.end_note else ""
        return f"{run.title}: lasts until the end of {uk_date(run.ends_on)}.{note}"

    def ends(self) -> str:
        """What an elapsed-time clock came to: how long, over or not, and how much of core hours."""
        run = self.run
        took = in_hours(run.used(self.now))
        within = f"within the limit of {run.limit} hours"
        if run.state == run.State.BREACHED:
            within = f"{in_hours(run.left(self.now))} over the limit of {run.limit} hours"
        return f"{run.title}: took {took}, {within}; {self.core_hours} of it in core hours."


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def clocks_now(migration: Migration, now: datetime) -> list[ClockCard]:
    """The clocks that count, running ones first."""
    found = list(migration.clock_runs.counting().select_related("reason"))
    if not found:
        return []
    calendar = working_calendar()
    runs = [ClockCard(run, now, calendar) for run in found]
    return sorted(runs, key=lambda clock: not clock.run.is_running)


@dataclass(frozen=True)
class ClockLine:
    """A run in the list of all runs.

    ``attempt`` is what people mean by it: a cut-over that began anew, not a date
    that was corrected. ``corrected``: the run below it counts the same attempt again;
    ``extended``: it does so to another end, as agreed.
    """

    clock: ClockCard
    attempt: int
    corrected: bool
    extended: bool


def clock_lines(migration: Migration, now: datetime) -> list[ClockLine]:
    """Every run of every clock, those that no longer count included."""
    events = Event.objects.of(migration.stream).filter(kind="clock.void")
    voided = {
        (subject.removeprefix("clock:"), attempt): (again is True, extended is True)
        for subject, attempt, again, extended in events.values_list(
            "subject", "data__attempt", "data__again", "data__extended"
        )
    }
    calendar = working_calendar()
    lines: list[ClockLine] = []
    for run in migration.clock_runs.select_related("plan_clock", "reason").order_by(
        "key", "attempt"
    ):
        last = lines[-1] if lines and lines[-1].clock.run.key == run.key else None
        attempt = last.attempt + (not (last.corrected or last.extended)) if last else 1
        corrected, extended = voided.get((run.key, run.attempt), (False, False))
        lines.append(ClockLine(ClockCard(run, now, calendar), attempt, corrected, extended))
    return lines


def not_started(migration: Migration) -> list[PlanClock]:
    """The clocks of the plan that have not started."""
    started = migration.clock_runs.counting().values("key")
    return list(migration.plan_version.clocks.filter(enabled=True).exclude(key__in=started))
