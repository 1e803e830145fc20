"""The reminders that plans give: around key dates, and while gates wait."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, Concat, Substr

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

from .outbox import add, new, page
from .reach import Reach

Kind = Notification.Kind
# How far holding something for a working morning can bring it forward: Christmas and a weekend.
BROUGHT_FORWARD = timedelta(days=10)


@dataclass(frozen=True)
class Waiting:
    """A reminder of one migration whose task, date or gate is still to come.

    ``since`` is when the migration was started, ``told_to`` the newest occasion
    that was planned, ``seats`` who has still to sign a gate.
    """

    migration: int
    reminder: int
    anchor: Anchor
    since: datetime
    told_to: datetime | None
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

    @cache
    def newest(reminder: int, anchor: Anchor) -> datetime | None:
        return newest_occasion(reminders[reminder], anchor, now, is_working)

    due: list[tuple[Waiting, datetime]] = []
    for one in (*_around_dates(reminders, now), *_at_gates(reminders, now)):
        at = newest(one.reminder, one.anchor)
        if at and at >= one.since and (one.told_to is None or at > one.told_to):
            due.append((one, at))
    if due:
        _tell(due, reminders, now)


def _around_dates(reminders: dict[int, PlanReminder], now: datetime) -> Iterator[Waiting]:
    """What waits for a task or another date, as far as its first occasion may have come."""
    rows = (
        PlanReminder.objects.filter(
            version__migrations__state__in=Migration.ACTIVE_STATES,
            version__migrations__key_dates__key=F("anchor"),
            pk__in=reminders,
        )
        .annotate(
            migration=F("version__migrations__pk"),
            since=F("version__migrations__started_at"),
            happened_on=F("version__migrations__key_dates__actual_on"),
            on=Coalesce("happened_on", "version__migrations__key_dates__planned_on"),
            at=Coalesce(
                "version__migrations__key_dates__actual_at",
                "version__migrations__key_dates__planned_at",
            ),
        )
        .filter(_may_have_begun(reminders.values(), london_date(now)), _is_wanted())
        .annotate(
            told_to=_told_to(migration=OuterRef("migration"), plan_reminder__key=OuterRef("key"))
        )
        .order_by()
        .values_list("migration", "pk", "on", "at", "happened_on", "since", "told_to")
    )
    for migration, pk, on, at, happened_on, since, told_to in rows:
        # Only hours ask for the time of day; days alone are fewer to reckon.
        moment = Moment(on, at) if reminders[pk].unit == Unit.HOURS else Moment.of_day(on)
        anchor = Anchor(moment, happened=happened_on is not None)
        yield Waiting(migration, pk, anchor, since, told_to)


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
        begun |= near if first <= 0 else near & Q(happened_on__isnull=False)
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


def _at_gates(reminders: dict[int, PlanReminder], now: datetime) -> Iterator[Waiting]:
    """Gates that could be signed, looked for once a morning: many tasks decide about them."""
    wanted = {pk: row for pk, row in reminders.items() if row.anchor.startswith(GATE_PREFIX)}
    if not wanted or Heartbeat.objects.filter(swept_at__range=(_last_morning(now), now)).exists():
        return
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
            told_to=_told_to(plan_reminder__key=OuterRef("reminder_key"), gate=OuterRef("pk")),
            seats=ArraySubquery(_free_seats()),
        )
    )
    for gate in gates:
        anchor = Anchor(Moment.of_instant(gate.ready_at), happened=True)
        seats = frozenset(role for roles in gate.seats for role in roles.split())
        yield Waiting(
            gate.migration_id, gate.reminder, anchor, gate.since, gate.told_to, gate.pk, seats
        )


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


def _told_to(**of: Any) -> Subquery:
    """The newest occasion that was planned, whatever became of it.

    A reminder is known by its key: the migration may have another version of its plan since.
    """
    planned = Notification.objects.filter(**of).order_by("-due_at")
    return Subquery(planned.values("due_at")[:1])


def _tell(
    due: list[tuple[Waiting, datetime]], reminders: dict[int, PlanReminder], now: datetime
) -> None:
    """To whom the plan says, to who could sign, and in the end to the project manager."""
    reach = Reach({one.migration for one, _ in due}, now=now)
    said = _times_said(due, reminders)
    rows = []
    for one, at in due:
        reminder = reminders[one.reminder]
        owners = {*reminder.tell, *one.seats}
        if 0 < reminder.escalate_after <= said[one.migration, reminder.key, one.gate]:
            owners.add(Owner.PROJECT_MANAGER)
        mark = f"{one.reminder}:{one.gate or ''}:{at:%Y%m%d%H%M}"
        rows += [
            new(
                f"reminder:{one.migration}:{mark}",
                at,
                kind=Kind.REMINDER,
                plan_reminder_id=reminder.pk,
                gate_id=one.gate,
                headline=reminder.title,
                path=_path(one, reminder, reach.migrations[one.migration].reference),
                **to,
            )
            for to in reach.of(one.migration, owners)
        ]
    add(rows, now)


def _path(one: Waiting, reminder: PlanReminder, reference: str) -> str:
    if reminder.until.startswith(TASK_PREFIX):
        return page("tracking:task", reference, reminder.until.removeprefix(TASK_PREFIX))
    return page("tracking:overview", reference) + ("#gates" if one.gate else "")


def _times_said(
    due: list[tuple[Waiting, datetime]], reminders: dict[int, PlanReminder]
) -> Counter[tuple[int, str, int | None]]:
    """How often each was said before, in vain: it would have ended otherwise."""
    rows = (
        Notification.objects.filter(
            kind=Kind.REMINDER,
            migration__in={one.migration for one, _ in due},
            plan_reminder__key__in={reminders[one.reminder].key for one, _ in due},
        )
        .exclude(status=Notification.Status.SUPERSEDED)
        .values_list("migration", "plan_reminder__key", "gate")
        .annotate(times=Count("due_at", distinct=True))
    )
    return Counter({(migration, key, gate): n for migration, key, gate, n in rows})
