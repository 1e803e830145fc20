"""The reminders that plans give: around key dates, and while gates wait."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, Substr

from practices.accounts.roles import Owner
from practices.common.calendar import WorkingCalendar, working_calendar
from practices.common.time import london_date, london_time
from practices.plans.models import PlanReminder, PlanSeat
from practices.plans.rules import ANY_GATE, GATE_PREFIX, TASK_PREFIX, Moment, Unit
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.occasions import Anchor, newest_occasion
from practices.reminders.rules import MORNING
from practices.tracking.models import Gate, KeyDate, Migration, SignOff, Task
from practices.tracking.rules import DAY

from .outbox import Draft, add, page
from .reach import Reach

Kind = Notification.Kind
# How far holding something for a working morning can bring it forward: Christmas and a weekend.
BROUGHT_FORWARD = timedelta(days=10)
Newest = Callable[[int, Anchor], datetime | None]  # of a reminder that counts from an anchor


@dataclass(frozen=True)
class Due:
    """An occasion of a reminder in one migration that was not planned yet.

    ``seats`` is who has still to sign a gate.
    """

    migration: int
    reminder: int
    at: datetime
    gate: int | None = None
    seats: frozenset[str] = frozenset()


def plan_reminders(now: datetime) -> None:
    """The newest occasion of each reminder that a plan gives, unless it was planned already.

    Occasions from before the migration was started are left out: its tasks show as overdue.
    """
    reminders = {row.pk: row for row in PlanReminder.objects.filter(enabled=True)}

    @cache
    def is_working(day: date) -> bool:
        return calendar().is_working(day)

    @cache
    def calendar() -> WorkingCalendar:  # most sweeps find nothing that would ask it
        return working_calendar()

    def newest(reminder: int, anchor: Anchor) -> datetime | None:
        return newest_occasion(reminders[reminder], anchor, now, is_working)

    due = [*_around_dates(reminders, newest, now), *_at_gates(reminders, newest, now)]
    if due:
        _tell(due, reminders, now)


def _around_dates(
    reminders: dict[int, PlanReminder], newest: Newest, now: datetime
) -> Iterator[Due]:
    """What waits for a task or another date.

    The occasions of thousands of migrations are those of a few hundred dates. The plan's rules
    reckon each of these once, and the database compares what was said with it.
    """
    if not reminders:
        return
    begun = _begun(reminders.values(), now)
    marks = begun.values_list("mark", "pk", "on", "at", "has_happened").order_by().distinct()
    occasions = {
        mark: occasion.isoformat()
        for mark, pk, on, at, happened in marks
        if (occasion := newest(pk, Anchor(Moment(on, at) if at else Moment.of_day(on), happened)))
    }
    if not occasions:
        return
    said = Notification.objects.filter(
        migration=OuterRef("migration"),
        plan_reminder__key=OuterRef("key"),
        due_at__gte=OuterRef("newest"),
    )
    rows = (
        begun.annotate(newest=_Given(Value(occasions, JSONField()), "mark"))
        .filter(~Exists(said), _is_wanted(), newest__gte=F("since"))
        .order_by()
    )
    for migration, pk, at in rows.values_list("migration", "pk", "newest"):
        yield Due(migration, pk, at)


class _Given(Func):
    """The instant that some marks were given, by the mark of a row; null: none."""

    template = "(%(expressions)s)::timestamptz"
    arg_joiner = " ->> "
    output_field = DateTimeField()


def _begun(reminders: Iterable[PlanReminder], now: datetime) -> QuerySet[Any, Any]:
    """Each reminder beside each active migration's date it counts from, once it may have begun.

    Who counts from the same moment has the same ``mark``: only hours ask for the time of day.
    """
    return (
        PlanReminder.objects.filter(
            version__migrations__state__in=Migration.ACTIVE_STATES,
            version__migrations__key_dates__key=F("anchor"),
        )
        .annotate(
            migration=F("version__migrations__pk"),
            since=F("version__migrations__started_at"),
            on=Coalesce(
                "version__migrations__key_dates__actual_on",
                "version__migrations__key_dates__planned_on",
            ),
            at=Case(
                When(
                    unit=Unit.HOURS,
                    then=Coalesce(
                        "version__migrations__key_dates__actual_at",
                        "version__migrations__key_dates__planned_at",
                    ),
                )
            ),
            has_happened=Q(version__migrations__key_dates__actual_on__isnull=False),
        )
        .filter(_may_have_begun(reminders, london_date(now)))
        .annotate(
            mark=Concat(
                *(
                    part
                    for name in ("pk", "on", "at", "has_happened")
                    for part in (Cast(name, TextField()), Value(" ", TextField()))
                )
            )
        )
    )


def _may_have_begun(reminders: Iterable[PlanReminder], today: date) -> Q:
    """Spares what is far off; a few days too many do no harm."""
    begun = Q(pk__in=[])
    for reminder in reminders:
        first = min(reminder.offsets)
        if reminder.unit == Unit.HOURS:
            first = first // 24
        elif reminder.unit == Unit.WORKING_DAYS and first < 0:
            first *= 2
        near = Q(pk=reminder.pk, on__lte=today + BROUGHT_FORWARD - first * DAY)
        begun |= near if first <= 0 else near & Q(has_happened=True)
    return begun


def _is_wanted() -> Q:
    """Whether what ends the reminder has not happened yet."""
    tasks = Task.objects.asked_for().filter(
        migration=OuterRef("migration"), code=Substr(OuterRef("until"), len(TASK_PREFIX) + 1)
    )
    dates = KeyDate.objects.filter(
        migration=OuterRef("migration"), key=OuterRef("until"), actual_at=None
    )
    is_task = Q(until__startswith=TASK_PREFIX)
    return Q(until="") | (is_task & Exists(tasks)) | (~is_task & Exists(dates))


def _at_gates(reminders: dict[int, PlanReminder], newest: Newest, now: datetime) -> Iterator[Due]:
    """Gates that could be signed, looked for once a morning: many tasks decide about them."""
    wanted = {pk: row for pk, row in reminders.items() if row.anchor.startswith(GATE_PREFIX)}
    if not wanted or Heartbeat.objects.filter(swept_at__range=(_last_morning(now), now)).exists():
        return
    said = Notification.objects.filter(
        plan_reminder__key=OuterRef("reminder_key"), gate=OuterRef("pk")
    )
    gates = (
        Gate.objects.ready_to_sign()
        .filter(migration__plan_version__reminders__in=wanted)
        .annotate(
            reminder=F("migration__plan_version__reminders"),
            reminder_key=F("migration__plan_version__reminders__key"),
            anchor=F("migration__plan_version__reminders__anchor"),
            since=F("migration__started_at"),
        )
        .filter(Q(anchor=ANY_GATE) | Q(anchor=Concat(Value(GATE_PREFIX), "key")))
        .annotate(
            said_to=Subquery(said.order_by("-due_at").values("due_at")[:1]),
            seats=ArraySubquery(_free_seats()),
        )
    )
    for gate in gates:
        at = newest(gate.reminder, Anchor(Moment.of_instant(gate.ready_at), happened=True))
        if at and at >= gate.since and (gate.said_to is None or at > gate.said_to):
            seats = frozenset(role for roles in gate.seats for role in roles.split())
            yield Due(gate.migration_id, gate.reminder, at, gate.pk, seats)


def _last_morning(now: datetime) -> datetime:
    today = london_time(london_date(now), MORNING)
    return today if today <= now else london_time(london_date(now) - DAY, MORNING)


def _free_seats() -> QuerySet[Any, Any]:
    """The roles of each seat of a gate that nobody has signed in this round, as one text."""
    signed = SignOff.objects.filter(
        gate=OuterRef(OuterRef("pk")), round=OuterRef(OuterRef("round")), seat=OuterRef("pk")
    )
    return (
        PlanSeat.objects.filter(~Exists(signed), gate=OuterRef("plan_gate"))
        .annotate(
            who=Func("roles", Value(" "), function="array_to_string", output_field=TextField())
        )
        .values("who")
    )


def _tell(due: list[Due], reminders: dict[int, PlanReminder], now: datetime) -> None:
    """To whom the plan says, to who could sign, and in the end to the project manager."""
    reach = Reach({one.migration for one in due}, now=now)
    said = _times_said(due, reminders)
    drafts = []
    for one in due:
        reminder = reminders[one.reminder]
        owners = {*reminder.tell, *one.seats}
        if 0 < reminder.escalate_after <= said[one.migration, reminder.key, one.gate]:
            owners.add(Owner.PROJECT_MANAGER)
        mark = f"{one.reminder}:{one.gate or ''}:{one.at:%Y%m%d%H%M}"
        drafts.append(
            Draft(
                subject=f"reminder:{one.migration}:{mark}",
                to=reach.somebody(one.migration, owners),
                due_at=one.at,
                kind=Kind.REMINDER,
                migration_id=one.migration,
                plan_reminder_id=reminder.pk,
                gate_id=one.gate,
                headline=reminder.title,
                path=_path(one, reminder, reach.references[one.migration]),
            )
        )
    add(drafts, now)


def _path(one: Due, reminder: PlanReminder, reference: str) -> str:
    if reminder.until.startswith(TASK_PREFIX):
        return page("tracking:task", reference, reminder.until.removeprefix(TASK_PREFIX))
    return page("tracking:overview", reference) + ("#gates" if one.gate else "")


def _times_said(
    due: list[Due], reminders: dict[int, PlanReminder]
) -> Counter[tuple[int, str, int | None]]:
    """How often each was said before, in vain: it would have ended otherwise."""
    rows = (
        Notification.objects.filter(
            kind=Kind.REMINDER,
            migration__among={one.migration for one in due},
            plan_reminder__key__in={reminders[one.reminder].key for one in due},
        )
        .exclude(status=Notification.Status.SUPERSEDED)
        .values_list("migration", "plan_reminder__key", "gate")
        .annotate(times=Count("due_at", distinct=True))
    )
    return Counter({(migration, key, gate): n for migration, key, gate, n in rows})
