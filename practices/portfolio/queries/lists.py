"""What the dashboard lists, and in which order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
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
from practices.tracking.models import ClockRun, KeyDate, Migration, Phase
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.rules import GL, STAGE_DATES

from .signals import Signals

State = Migration.State

EVERY_STATE = "all"  # instead of a state: ended ones too
# The columns it sorts by; the first counts when nothing is asked.
SORTS = ("next", "practice", "stage", "go_live", "progress", "clock", "late", "blocked")
Asked = Mapping[str, Any]


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
            .alias(phase_key=current_phase("key"))
            .filter(phase_key=asked["phase"])
        )
    sort = asked.get("sort") or SORTS[0]
    keys = _sort_keys(sort.removeprefix("-"), found, now)
    ordered = [
        F(name).desc(nulls_last=True) if sort.startswith("-") else F(name).asc(nulls_last=True)
        for name in keys
    ]
    return migrations.alias(**keys).order_by(*ordered, "reference")


def current_phase(what: str) -> Subquery:
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


def next_date(now: datetime) -> QuerySet[KeyDate]:
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
        upcoming = Subquery(next_date(now).values("planned_at")[:1])
        return {"by_next": Case(When(state__in=Migration.ACTIVE_STATES, then=upcoming))}
    if key == "stage":
        states = [When(state=state, then=place) for place, state in enumerate(State.values)]
        return {
            "by_state": Case(*states, output_field=IntegerField()),
            "by_phase": current_phase("position"),
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
