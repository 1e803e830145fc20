"""What the dashboard reads: which migrations need somebody, and a row for each of them.

The number of statements does not depend on how many migrations are in view, and
only one page of them is ever read whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, NullIf

from practices.accounts.models import User
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date
from practices.directory.models import CommissionerLink
from practices.plans.models import PlanPhase
from practices.tracking.models import COUNTERS as KEPT
from practices.tracking.models import (
    Bypass,
    ClockRun,
    Gate,
    KeyDate,
    Migration,
    Phase,
    SignOff,
    Task,
)
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.queries import ClockNow
from practices.tracking.rules import EOA, FDP, GL, STAGE_DATES

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
}
EVERY_STATE = "all"  # instead of a state: ended ones too
# The columns it sorts by; the first counts when nothing is asked.
SORTS = ("next", "practice", "stage", "go_live", "progress", "clock", "late", "blocked")
Asked = Mapping[str, Any]


# --- Which migrations need somebody ---------------------------------------------------------


@dataclass(frozen=True)
class Signals:
    """The ids behind each counter of the dashboard; the list a counter opens is these ids."""

    overdue: dict[int, int] = field(default_factory=dict)
    cut_over: set[int] = field(default_factory=set)
    over_limit: set[int] = field(default_factory=set)
    sign_off: set[int] = field(default_factory=set)
    access: set[int] = field(default_factory=set)

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
    flags = active.annotate(over_limit=Exists(over_limit), access=Exists(access))
    for pk, state, over, ending in flags.values_list("pk", "state", "over_limit", "access"):
        if state == State.CUT_OVER:
            found.cut_over.add(pk)
        if over:
            found.over_limit.add(pk)
        if ending and state == State.POST_GO_LIVE:
            found.access.add(pk)
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
    due = Task.objects.open().filter(migration=OuterRef("migration"), due_at__lte=soon).order_by()
    gates = Gate.objects.filter(state=Gate.State.WAITING, migration__in=migrations).order_by()
    this_round = {"gate": OuterRef("pk"), "round": OuterRef("round")}
    ready = gates.filter(Exists(due.filter(plan_task__signs__gate=OuterRef("plan_gate")))).exclude(
        Exists(due.filter(plan_task__covered_by=OuterRef("plan_gate")))
    )
    signed = gates.filter(Exists(SignOff.objects.filter(**this_round).order_by()))
    bypassed = gates.filter(Exists(Bypass.objects.filter(**this_round).order_by()))
    ids = [found.values_list("migration") for found in (ready, signed, bypassed)]
    return {pk for (pk,) in ids[0].union(*ids[1:])}


# --- Filtering and sorting ------------------------------------------------------------------


def chosen(migrations: MigrationQuerySet, asked: Asked, user: User) -> MigrationQuerySet:
    """What the filters leave, but for state, phase and counter: the counters count among these.

    ``asked`` is what the form of the filters understood.
    """
    if asked.get("practice"):
        words = Q()
        for word in asked["practice"].split():
            words &= Q(practice__organisation__name__icontains=word) | Q(
                practice__organisation__code__istartswith=word
            )
        migrations = migrations.filter(words)
    if asked.get("commissioner"):
        migrations = migrations.filter(
            practice__commissioner_links__commissioner=asked["commissioner"],
            practice__commissioner_links__valid_to=None,
        )
    if asked.get("systems"):
        source, target = asked["systems"].split("-")
        migrations = migrations.filter(source_system=source, target_system=target)
    if asked.get("mine"):
        migrations = migrations.filter(project_manager=user)
    return migrations


def listed(
    migrations: MigrationQuerySet, asked: Asked, found: Signals, now: datetime
) -> MigrationQuerySet:
    """The migrations of the table, sorted: of a counter, a state, a phase; else all under way."""
    state = asked.get("state")
    if not state:
        migrations = migrations.active()
    elif state != EVERY_STATE:
        migrations = migrations.filter(state=state)
    if asked.get("show"):
        migrations = migrations.filter(pk__in=found.ids(asked["show"]))
    if asked.get("phase"):
        migrations = (
            migrations.active()
            .alias(phase_key=_current_phase("key"))
            .filter(phase_key=asked["phase"])
        )
    sort = asked.get("sort") or SORTS[0]
    keys = _sort_keys(sort.removeprefix("-"), found, now)
    ordered = [
        F(name).desc(nulls_last=True) if sort.startswith("-") else F(name).asc(nulls_last=True)
        for name in keys
    ]
    return migrations.alias(**keys).order_by(*ordered, "reference")


def _current_phase(what: str) -> Subquery:
    """The furthest phase that is half done; once it is finished, what follows it.

    Phases overlap, and a task or two of a later one is often done early, so
    neither the first unfinished nor the furthest begun says where a practice is.
    """
    unfinished = F("open_count") + F("blocked_count")
    # Asked of the migration, not of each of its phases: the database then asks once.
    half_done = Phase.objects.filter(
        migration=OuterRef(OuterRef("pk")), done_count__gt=0, done_count__gte=unfinished
    ).order_by("-position")
    phase = Phase.objects.filter(
        Q(open_count__gt=0) | Q(blocked_count__gt=0),
        migration=OuterRef("pk"),
        position__gte=Coalesce(Subquery(half_done.values("position")[:1]), 0),
    )
    return Subquery(phase.order_by("position").values(what)[:1])


def _next_date(now: datetime) -> QuerySet[KeyDate]:
    """Key dates still to come, soonest first; a stage that is late stays the next thing."""
    return KeyDate.objects.filter(
        Q(planned_at__gt=now) | Q(key__in=STAGE_DATES),
        migration=OuterRef("pk"),
        actual_at=None,
    ).order_by("planned_at", "plan_key_date__position")


def _sort_keys(key: str, found: Signals, now: datetime) -> dict[str, Any]:
    if key == "practice":
        return {"by_name": F("practice__organisation__name")}
    if key == "next":
        upcoming = Subquery(_next_date(now).values("planned_at")[:1])
        return {"by_next": Case(When(state__in=Migration.ACTIVE_STATES, then=upcoming))}
    if key == "stage":
        states = [When(state=state, then=place) for place, state in enumerate(State.values)]
        return {
            "by_state": Case(*states, output_field=IntegerField()),
            "by_phase": _current_phase("position"),
        }
    if key == "go_live":
        go_live = KeyDate.objects.filter(migration=OuterRef("pk"), key=GL)
        return {"by_date": Subquery(go_live.values(at=Coalesce("actual_at", "planned_at")))}
    if key == "progress":
        needed = F("done_count") + F("open_count") + F("blocked_count")
        return {"by_progress": F("done_count") * 1000 / NullIf(needed, 0)}
    if key == "clock":
        running = ClockRun.objects.filter(migration=OuterRef("pk"), state=ClockRun.State.RUNNING)
        return {"by_end": Subquery(running.order_by("ends_at").values("ends_at")[:1])}
    if key == "late":
        # Counted already; the database only needs to know the order.
        ids = sorted(found.overdue, key=lambda pk: found.overdue[pk])
        place = Func(
            Value(ids, output_field=ArrayField(BigIntegerField())),
            F("pk"),
            function="array_position",
            output_field=IntegerField(),
        )
        return {"by_late": Coalesce(place, 0)}
    return {"by_blocked": F("blocked_count")}


# --- The rows -------------------------------------------------------------------------------

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
            phase_title=_current_phase("plan_phase__title"),
            next_date_id=Subquery(_next_date(now).values("pk")[:1]),
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


# --- What can be chosen ---------------------------------------------------------------------

Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Options:
    """What the filters offer: only what occurs among the migrations in view."""

    commissioners: Choices
    systems: Choices
    phases: Choices


def options(migrations: MigrationQuerySet) -> Options:
    """The choices of the filters for these migrations, each list in alphabetical or plan order."""
    commissioners = (
        CommissionerLink.objects.filter(practice__migrations__in=migrations, valid_to=None)
        .order_by("commissioner__name")
        .values_list("commissioner", "commissioner__name")
        .distinct()
    )
    systems = (
        migrations.order_by("source_system__name", "target_system__name")
        .values_list("source_system", "target_system", "source_system__name", "target_system__name")
        .distinct()
    )
    phases: dict[str, str] = {}
    for key, title in (
        PlanPhase.objects.filter(version__in=migrations.order_by().values("plan_version"))
        .order_by("position")
        .values_list("key", "title")
    ):
        # Versions of a plan may word a phase differently; its key is what it is.
        phases.setdefault(key, title)
    return Options(
        commissioners=[(str(pk), name) for pk, name in commissioners],
        systems=[(f"{s}-{t}", f"{source} to {target}") for s, t, source, target in systems],
        phases=list(phases.items()),
    )
