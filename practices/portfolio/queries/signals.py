"""Which migrations need somebody: the ids behind each counter of the dashboard."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Count, Exists, OuterRef

from practices.common.time import london_date
from practices.tracking.models import Bypass, ClockRun, Gate, KeyDate, Migration, SignOff, Task
from practices.tracking.models.gate import covers
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.rules import EOA, FDP, GL

ACCESS_SOON = timedelta(days=14)
SIGNING_SOON = timedelta(days=7)

State = Migration.State

# The counters of the dashboard, and what each counts.
COUNTERS: dict[str, str] = {
    "overdue": "With overdue tasks",
    "cut_over": "In cut-over now",
    "over_limit": "Cut-over over the limit",
    "sign_off": "Waiting for sign-off",
    "access": "Access ending within 14 days",
    "access_lost": "Old system not there",
}


@dataclass(frozen=True)
class Signals:
    """The ids behind each counter of the dashboard; the list a counter opens is these ids."""

    overdue: dict[int, int] = field(default_factory=dict)
    cut_over: set[int] = field(default_factory=set)
    over_limit: set[int] = field(default_factory=set)
    sign_off: set[int] = field(default_factory=set)
    access: set[int] = field(default_factory=set)
    access_lost: set[int] = field(default_factory=set)

    def ids(self, show: str) -> Collection[int]:
        """The migrations that the counter ``show`` counts."""
        return cast("Collection[int]", getattr(self, show))


def signals(migrations: MigrationQuerySet, now: datetime) -> Signals:
    """What stands out among the active ones of ``migrations``, in three statements."""
    active = migrations.active()
    found = Signals(overdue=overdue_counts(active, now), sign_off=waiting_for_sign_off(active, now))
    today = london_date(now)
    over_limit = ClockRun.objects.filter(
        migration=OuterRef("pk"),
        state=ClockRun.State.RUNNING,
        ends_at__lte=now,
        # From final data production to go-live, whatever the plan calls it.
        plan_clock__starts=FDP,
        plan_clock__stops=GL,
    )
    access = KeyDate.objects.filter(
        migration=OuterRef("pk"),
        key=EOA,
        actual_at=None,
        planned_on__range=(today, today + ACCESS_SOON),
    )
    lost = ClockRun.objects.access_lost().filter(migration=OuterRef("pk"))
    flags = active.annotate(over_limit=Exists(over_limit), access=Exists(access), lost=Exists(lost))
    for pk, state, over, ending, gone in flags.values_list(
        "pk", "state", "over_limit", "access", "lost"
    ):
        if state == State.CUT_OVER:
            found.cut_over.add(pk)
        if over:
            found.over_limit.add(pk)
        if ending and state == State.POST_GO_LIVE:
            found.access.add(pk)
        if gone:
            found.access_lost.add(pk)
    return found


def overdue_counts(migrations: MigrationQuerySet, now: datetime) -> dict[int, int]:
    """How many tasks are overdue in each migration that has any."""
    return dict(
        Task.objects.overdue(now)
        .filter(migration__in=migrations)
        .order_by()
        .values_list("migration")
        .annotate(Count("pk"))
    )


def waiting_for_sign_off(migrations: MigrationQuerySet, now: datetime) -> set[int]:
    """Migrations in which a gate waits for nothing but people.

    Signing is late or due within a week, and all that it covers and that is due
    by then is finished; or somebody has signed, or recorded a bypass, and another
    person is still to follow. Looking no further than a week ahead keeps this to
    the few tasks that the index of due times gives.
    """
    soon = now + SIGNING_SOON
    due = (
        Task.objects.asked_for()
        .filter(migration=OuterRef("migration"), due_at__lte=soon)
        .order_by()
    )
    gates = Gate.objects.filter(
        state=Gate.State.WAITING, left_plan=False, migration__in=migrations
    ).order_by()
    this_round = {"gate": OuterRef("pk"), "round": OuterRef("round")}
    ready = gates.filter(Exists(due.filter(plan_task__signs__gate=OuterRef("plan_gate")))).exclude(
        Exists(due.filter(covers(OuterRef(OuterRef("plan_gate")))))
    )
    signed = gates.filter(Exists(SignOff.objects.filter(**this_round).order_by()))
    bypassed = gates.filter(Exists(Bypass.objects.filter(**this_round).order_by()))
    ids = [found.values_list("migration") for found in (ready, signed, bypassed)]
    return {pk for (pk,) in ids[0].union(*ids[1:])}
