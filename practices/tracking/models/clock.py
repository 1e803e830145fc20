"""Clock runs: a limit counting from a fact of this migration."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery

from practices.common.history import tracked
from practices.common.models import Text
from practices.common.time import end_of_london_day, london_date
from practices.plans.models import PlanClock, PlanKeyDate, Unit

from .access import AccessCheck, AccessExtension
from .migration import Migration

ACCESS_ENDS = "EOA"
CHECK_EVERY = timedelta(days=7)


class ClockRunQuerySet(models.QuerySet["ClockRun"]):
    def running(self) -> "ClockRunQuerySet":
        return self.filter(state=ClockRun.State.RUNNING).select_related("plan_clock")

    def counting(self) -> "ClockRunQuerySet":
        """The newest run of each clock that still counts: void attempts are left out."""
        return self.exclude(state=ClockRun.State.VOID).select_related("plan_clock", "extension")

    def of_access(self) -> "ClockRunQuerySet":
        """Runs of the clock that says when old-system access ends, whatever the plan calls it."""
        bound = PlanKeyDate.objects.filter(
            version=OuterRef("plan_clock__version"), key=ACCESS_ENDS, clock=OuterRef("key")
        )
        return self.filter(Exists(bound))

    def access_check_due(self, now: datetime) -> "ClockRunQuerySet":
        """Running access that nobody has looked at for a week, nor since go-live."""
        week_ago = london_date(now) - CHECK_EVERY
        checked = AccessCheck.objects.filter(
            migration=OuterRef("migration"),
            at__gte=OuterRef("started_at"),
            checked_on__gt=week_ago,
        )
        return (
            self.running()
            .of_access()
            .filter(~Exists(checked), started_at__lt=end_of_london_day(week_ago))
        )

    def access_lost(self) -> "ClockRunQuerySet":
        """Running access that was not there when somebody last looked."""
        last = AccessCheck.objects.filter(
            migration=OuterRef("migration"), at__gte=OuterRef("started_at")
        ).order_by("-checked_on", "-pk")
        answer = Subquery(last.values("is_there")[:1])
        return self.running().of_access().alias(answer=answer).filter(answer=False)


@tracked()
class ClockRun(models.Model):
    """One attempt of a clock, with the basis it was computed from.

    The basis is the start, the limit and its unit, the frozen plan version (through
    ``plan_clock``), the zone with the rules it had (``tzdata``) and, where another end
    was agreed, that agreement: the law may change UK clocks, an end that was counted
    stays. An aborted cut-over, an extension or a corrected go-live voids the run and
    starts the next attempt (decision 8). Overrunning is computed while it runs;
    ``met`` or ``breached`` is settled when it stops. Not started: there is no run.
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
    tzdata = models.CharField(max_length=20, default="", help_text="which rules of the zone")
    extension = models.ForeignKey(
        AccessExtension,
        null=True,
        on_delete=models.PROTECT,
        related_name="runs",
        help_text="the agreement that says its end instead of the limit of the plan",
    )
    ends_on = models.DateField(help_text="the last day, or the London date of the end")
    ends_at = models.DateTimeField(help_text="exclusive: over from this instant on")
    stopped_at = models.DateTimeField(null=True)
    reason = models.ForeignKey(
        Text,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="why it ran over its limit",
    )

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

    def is_breach(self, now: datetime) -> bool:
        """Stopped too late, or running past its end (guide.md B.1)."""
        return self.state == self.State.BREACHED or self.is_over(now)

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
