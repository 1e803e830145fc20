"""The clocks of a migration in words, at an instant."""

from dataclasses import dataclass
from datetime import datetime

from practices.common.models import Event
from practices.common.time import london_date
from practices.plans.models import Unit
from practices.tracking.models import ClockRun, Migration
from practices.tracking.rules import in_words


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


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def clocks_now(migration: Migration, now: datetime) -> list[ClockNow]:
    """The clocks that count, running ones first."""
    runs = [ClockNow(run, now) for run in migration.clock_runs.counting()]
    return sorted(runs, key=lambda clock: not clock.run.is_running)


@dataclass(frozen=True)
class ClockLine:
    """A run in the list of all runs.

    ``attempt`` is what people mean by it: a cut-over that began anew, not a date
    that was corrected. ``corrected``: the run below it counts the same attempt again.
    """

    clock: ClockNow
    attempt: int
    corrected: bool


def clock_lines(migration: Migration, now: datetime) -> list[ClockLine]:
    """Every run of every clock, those that no longer count included."""
    events = Event.objects.of(migration.stream).filter(kind="clock.void", data__again=True)
    corrected = {
        (subject.removeprefix("clock:"), attempt)
        for subject, attempt in events.values_list("subject", "data__attempt")
    }
    lines: list[ClockLine] = []
    for run in migration.clock_runs.select_related("plan_clock").order_by("key", "attempt"):
        last = lines[-1] if lines and lines[-1].clock.run.key == run.key else None
        attempt = last.attempt + (not last.corrected) if last else 1
        lines.append(ClockLine(ClockNow(run, now), attempt, (run.key, run.attempt) in corrected))
    return lines
