"""A row for each migration: three statements, however many they are."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.directory.models import CommissionerLink
from practices.tracking.models import COUNTERS as KEPT
from practices.tracking.models import ClockRun, KeyDate, Migration
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.queries import ClockNow
from practices.tracking.rules import GL

from .lists import current_phase, next_date
from .signals import Signals

State = Migration.State

STATE_COLOURS: dict[str, str] = {
    State.PLANNING: "blue",
    State.CUT_OVER: "purple",
    State.POST_GO_LIVE: "aqua-green",
    State.ACCESS_ENDED: "grey",
    State.FINISHED: "green",
    State.CANCELLED: "white",
}


@dataclass(frozen=True)
class NextDate:
    title: str
    on: date
    late: bool


@dataclass(frozen=True)
class Clock:
    """A running clock in words, for example "Cut-over: 22 hours left of 72, running"."""

    title: str
    left: str
    status: str
    colour: str
    ends: str


@dataclass(frozen=True)
class Row:
    """A migration as the dashboard and its CSV file show it."""

    reference: str
    practice: str
    ods_code: str
    commissioner: str
    source: str
    target: str
    project_manager: str
    state: str
    colour: str
    phase: str
    go_live_at: datetime
    has_gone_live: bool
    next_date: NextDate | None
    done: int
    needed: int
    percent: int
    clock: Clock | None
    overdue: int
    blocked: int
    access_lost: bool


def rows(migrations: MigrationQuerySet, found: Signals, now: datetime) -> list[Row]:
    """Rows of a page of migrations, in its order: three statements, however many they are."""
    commissioner = CommissionerLink.objects.filter(
        practice=OuterRef("practice"), valid_to=None
    ).values("commissioner__name")[:1]
    # Names instead of whole related rows: making objects is what a page costs most.
    read = list(
        migrations.only("reference", "state", *KEPT).annotate(
            practice_name=F("practice__organisation__name"),
            practice_code=F("practice__organisation__code"),
            source_name=F("source_system__name"),
            target_name=F("target_system__name"),
            manager_name=F("project_manager__name"),
            commissioner_name=Subquery(commissioner),
            phase_title=current_phase("plan_phase__title"),
            next_date_id=Subquery(next_date(now).values("pk")[:1]),
        )
    )
    go_lives, upcoming = _dates(read)
    clocks = _clocks(read)
    found_rows = []
    for m in read:
        planned_at, actual_at = go_lives[m.pk]
        found_rows.append(
            Row(
                reference=m.reference,
                practice=m.practice_name,
                ods_code=m.practice_code,
                commissioner=m.commissioner_name or "",
                source=m.source_name,
                target=m.target_name,
                project_manager=m.manager_name,
                state=m.get_state_display(),
                colour=STATE_COLOURS[m.state],
                phase=(m.phase_title or "") if m.is_active else "",
                go_live_at=actual_at or planned_at,
                has_gone_live=actual_at is not None,
                next_date=_next_in_words(upcoming.get(m.next_date_id), now)
                if m.is_active
                else None,
                done=m.done_count,
                needed=m.needed_count,
                percent=m.percent_done,
                clock=_clock_in_words(clocks[m.pk], now) if m.pk in clocks else None,
                overdue=found.overdue.get(m.pk, 0),
                blocked=m.blocked_count,
                access_lost=m.pk in found.access_lost,
            )
        )
    return found_rows


# Planned and actual instant of go-live; title, day and instant of a date to come.
GoLive = tuple[datetime, datetime | None]
Upcoming = tuple[str, date, datetime]


def _dates(read: list[Any]) -> tuple[dict[int, GoLive], dict[int, Upcoming]]:
    """Go-live by migration, and the chosen next dates by their id."""
    nexts = {m.next_date_id for m in read if m.next_date_id}
    go_lives: dict[int, GoLive] = {}
    upcoming: dict[int, Upcoming] = {}
    for pk, migration, key, title, on, planned_at, actual_at in KeyDate.objects.filter(
        Q(pk__in=nexts) | Q(migration__in=read, key=GL)
    ).values_list(
        "pk", "migration", "key", "plan_key_date__title", "planned_on", "planned_at", "actual_at"
    ):
        upcoming[pk] = title, on, planned_at
        if key == GL:
            go_lives[migration] = planned_at, actual_at
    return go_lives, upcoming


def _next_in_words(key_date: Upcoming | None, now: datetime) -> NextDate | None:
    if key_date is None:
        return None
    title, on, planned_at = key_date
    return NextDate(title, on, late=planned_at <= now)


def _clocks(read: list[Any]) -> dict[int, ClockRun]:
    """The running clock of each migration that ends soonest."""
    runs = ClockRun.objects.running().filter(migration__in=read).order_by("-ends_at")
    return {run.migration_id: run for run in runs}


def _clock_in_words(run: ClockRun, now: datetime) -> Clock:
    shown = ClockNow(run, now)
    status, colour = shown.tag
    ends = uk_datetime(run.ends_at) if run.counts_hours else f"the end of {uk_date(run.ends_on)}"
    return Clock(run.title, shown.headline, status, colour, ends)
