"""Clock runs: a limit counting from a fact of this migration."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from practices.common.history import tracked
from practices.common.models import Text
from practices.common.time import london_date
from practices.plans.models import PlanClock, Unit

from .migration import Migration


class ClockRunQuerySet(models.QuerySet["ClockRun"]):
    def running(self) -> "ClockRunQuerySet":
        return self.filter(state=ClockRun.State.RUNNING).select_related("plan_clock")

    def counting(self) -> "ClockRunQuerySet":
        """The newest run of each clock that still counts: void attempts are left out."""
        return self.exclude(state=ClockRun.State.VOID).select_related("plan_clock")


@tracked()
class ClockRun(models.Model):
    """One attempt of a clock, with the basis it was computed from.

    An aborted cut-over, an extension or a corrected go-live voids the run and
    starts the next attempt (decision 8). Overrunning is computed while it runs;
    ``met`` or ``breached`` is settled when it stops.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        MET = "met", "Met"
        BREACHED = "breached", "Breached"
        VOID = "void", "Void"

    migration = models.ForeignKey(Migration, on_delete=models.CASCADE, related_name="clock_runs")
    plan_clock = models.ForeignKey(PlanClock, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    attempt = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField()
    limit = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=12, choices=Unit)
    zone = models.CharField(max_length=40, default="Europe/London")
    ends_on = models.DateField(help_text="the last day, or the London date of the end")
    ends_at = models.DateTimeField(help_text="exclusive: over from this instant on")
    stopped_at = models.DateTimeField(null=True)
    reason = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ClockRunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["started_at", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["migration", "key", "attempt"], name="clock_attempt_once"
            ),
            models.UniqueConstraint(
                fields=["migration", "key"],
                condition=~Q(state="void"),
                name="one_clock_run_that_counts",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("running", "void")) | Q(stopped_at__isnull=False),
                name="settled_clock_has_stopped",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(stopped_at__gte=F("started_at")),
                name="clock_stops_after_start",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["ends_at"], name="clock_running", condition=Q(state="running"))
        ]

    def __str__(self) -> str:
        return f"{self.title}, attempt {self.attempt}"

    @property
    def title(self) -> str:
        return self.plan_clock.title

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING

    @property
    def counts_hours(self) -> bool:
        return self.unit == Unit.HOURS

    def is_over(self, now: datetime) -> bool:
        """Running past its end."""
        return self.is_running and self.ends_at <= now

    @property
    def stopped_on(self) -> date | None:
        """The day it stopped: a day that stops a clock stops it as it ends."""
        return self.stopped_at and london_date(self.stopped_at - timedelta(microseconds=1))

    def used(self, now: datetime) -> timedelta:
        """Elapsed time since the start, up to the stop."""
        return (self.stopped_at or now) - self.started_at

    def left(self, now: datetime) -> timedelta:
        """Time to the end; negative once over."""
        return self.ends_at - (self.stopped_at or now)

    def days_left(self, now: datetime) -> int:
        """Whole days after today that access still lasts; 0 on the last day."""
        return (self.ends_on - self.day(now)).days

    @staticmethod
    def day(now: datetime) -> date:
        return london_date(now)
