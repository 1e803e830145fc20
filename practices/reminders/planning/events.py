"""What somebody did, told to those concerned; and mails that did not arrive.

Nothing calls up into this room: the history of each migration is read. An act is told
once, to those concerned when it is read, and only what still holds. Nobody is told of
what they did themselves.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.models import Event
from practices.common.prepared import Instant, prepared
from practices.common.verification import is_id
from practices.reminders import headlines
from practices.reminders.models import Heartbeat, Notification, NotificationQuerySet
from practices.tracking.models import Gate, KeyDate, Migration, SignOff, Task
from practices.tracking.rules import GL

from .gates import spoken_about
from .outbox import Draft, To, add, beat, page
from .reach import Reach

logger = logging.getLogger(__name__)
Kind = Notification.Kind
Status = Notification.Status

KINDS = {
    "task.assigned": Kind.ASSIGNED,
    "task.added": Kind.ASSIGNED,
    "task.blocked": Kind.BLOCKED,
    "dates.replanned": Kind.MOVED,
    "gate.opened": Kind.SIGNED,
    "gate.withdrawn": Kind.WITHDRAWN,
}
STREAM = "migration:"
OVERLAP = 10_000  # a transaction that is open while so many later events are written is not awaited
FIRST_LOOKS_BACK = timedelta(days=1)
DEAD_LOOKS_BACK = timedelta(days=30)


@transaction.atomic
def acts(now: datetime) -> None:
    """Every act since the last sweep, once: what several sweeps do at once, one of them does.

    An event's id is given before its transaction ends, so one with a lower id can come to
    light after one with a higher id. Therefore the newest ids are always looked at again,
    and the ids of those that were read are kept.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('reminders: acts'))")
        if not cursor.fetchone()[0]:
            return
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"]
    read = Heartbeat.objects.exclude(events_read=None).first()
    floor = (read.events_read or 0 if read else newest) - OVERLAP
    events = list(
        Event.objects.filter(kind__in=KINDS, stream__startswith=STREAM, pk__gt=floor).order_by("pk")
    )
    seen = set(read.events_seen) if read else set()
    # The first sweep ever does not tell of what is long past.
    since = None if read else now - FIRST_LOOKS_BACK
    unread = [e for e in events if e.pk not in seen and (since is None or e.at > since)]
    if unread:
        add(_told(unread, now), now)
    kept = [event.pk for event in events if event.pk > newest - OVERLAP]
    beat(events_read=newest, events_seen=kept)


@dataclass
class Group:
    """What one person is told in one row."""

    kind: str
    migration: Migration
    person: int
    gate: Gate | None = None
    round: int | None = None
    events: list[Event] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)


def _told(events: list[Event], now: datetime) -> Iterator[Draft]:
    groups: dict[tuple[object, ...], Group] = {}
    world = _World(events, now)
    for event in events:
        migration = world.migration_of(event)
        if migration is None:
            continue
        try:
            gate, number = world.gate_of(event)
            people = world.concerned(event, migration) - {event.by_id}
        except (AttributeError, LookupError, TypeError, ValueError):
            # A forged row may hold anything; it must not silence all the others.
            logger.warning("Event %s of %s cannot be read.", event.seq, event.stream, exc_info=True)
            continue
        kind = KINDS[event.kind]
        for person in people:
            if gate and (person, kind, gate.pk, number) in world.told_by_the_plan:
                continue
            key = (kind, migration.pk, person, gate and gate.pk, number)
            group = groups.setdefault(key, Group(kind, migration, person, gate, number))
            group.events.append(event)
            if task := world.task_of(event):
                group.tasks[task.code] = task
    for group in groups.values():
        yield _row(group, world, now)


def _row(group: Group, world: "_World", now: datetime) -> Draft:
    reference = group.migration.reference
    one = next(iter(group.tasks.values())) if len(group.tasks) == 1 else None
    basis = ""
    if group.gate:
        path = page("tracking:gate", reference, group.gate.key)
        headline = headlines.of_gate(group.kind, group.gate)
    elif group.kind == Kind.MOVED:
        go_live = world.go_lives[group.migration.pk]
        path = page("tracking:dates", reference)
        headline = headlines.go_live_moved(go_live)
        basis = go_live.planned_at.isoformat()
    else:
        path = (
            page("tracking:task", reference, one.code) if one else page("tracking:tasks", reference)
        )
        headline = headlines.of_tasks(group.kind, len(group.tasks))
    return Draft(
        subject=f"event:{group.events[0].pk}:{group.kind}",
        to=[To(group.person)],
        due_at=now,
        kind=group.kind,
        migration_id=group.migration.pk,
        gate_id=group.gate.pk if group.gate else None,
        round=group.round,
        task_id=one.pk if one else None,
        event_id=group.events[-1].pk,
        events=[event.pk for event in group.events],
        basis=basis,
        headline=headline,
        path=path,
    )


class _World:
    """What some events are about, as it stands now, in a fixed number of queries."""

    def __init__(self, events: list[Event], now: datetime) -> None:
        ids = {pk for event in events if (pk := _migration(event))}
        self.reach = Reach(ids, now=now)
        spoken = Migration.objects.filter(spoken_about(now, ""), pk__in=ids)
        self.migrations = spoken.only("reference").in_bulk()
        self.tasks = {
            (task.migration_id, task.code): task
            for task in Task.objects.filter(
                migration__in=self.migrations,
                code__in={_key(e) for e in events if e.subject.startswith("task:")},
            )
        }
        self.go_lives = {
            row.migration_id: row
            for row in KeyDate.objects.filter(migration__in=self.migrations, key=GL).select_related(
                "plan_key_date"
            )
        }
        self.gates = {
            (gate.migration_id, gate.key): gate
            for gate in Gate.objects.filter(
                migration__in=self.migrations,
                key__in={_key(e) for e in events if e.subject.startswith("gate:")},
            ).select_related("plan_gate")
        }
        self.signers: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        signatures = SignOff.objects.filter(gate__in=self.gates.values())
        for signed, of_round, by in signatures.values_list("gate", "round", "by"):
            self.signers[signed, of_round].add(by)
        self.told_by_the_plan = set(
            Notification.objects.filter(
                gate__in=self.gates.values(), kind__in=(Kind.SIGNED, Kind.WITHDRAWN), event=None
            ).values_list("person", "kind", "gate", "round")
        )
        everybody: set[int | None] = {task.assignee_id for task in self.tasks.values()}
        everybody.update(*self.reach.people.values(), *self.signers.values())
        here = User.objects.filter(pk__in=everybody - {None}, is_active=True)
        self.here: set[int | None] = set(here.values_list("pk", flat=True))

    def migration_of(self, event: Event) -> Migration | None:
        return self.migrations.get(_migration(event))

    def task_of(self, event: Event) -> Task | None:
        migration = self.migration_of(event)
        return self.tasks.get((migration.pk, _key(event))) if migration else None

    def gate_of(self, event: Event) -> tuple[Gate | None, int | None]:
        """The gate an event is about, with the round it speaks of."""
        migration = self.migration_of(event)
        gate = self.gates.get((migration.pk, _key(event))) if migration else None
        if gate is None or not event.subject.startswith("gate:"):
            return None, None
        return gate, int(event.data.get("round", gate.round))

    def concerned(self, event: Event, migration: Migration) -> set[int]:
        """Whom an act concerns that still holds; nobody when it does not."""
        task, (gate, number) = self.task_of(event), self.gate_of(event)
        managers = self.reach.people[migration.pk, Owner.PROJECT_MANAGER]
        found: set[int | None] = set()
        if event.kind == "dates.replanned" and self._go_live_moved(event, migration):
            found.update(*(self.reach.people[migration.pk, owner] for owner in Owner))
        elif gate and number is not None:
            if gate.state == Gate.State.SIGNED or event.kind == "gate.withdrawn":
                found.update(managers, self.signers[gate.pk, number])
        elif task and event.kind == "task.blocked":
            if task.state == Task.State.BLOCKED:
                found.update(managers, {task.assignee_id})
        elif task and task.is_unfinished and event.data.get("after") in (None, task.assignee_id):
            found.add(task.assignee_id)
        return {person for person in found & self.here if person}

    def _go_live_moved(self, event: Event, migration: Migration) -> bool:
        before, after = event.data.get("dates", {}).get(GL, ("", ""))
        go_live = self.go_lives.get(migration.pk)
        if go_live is None or go_live.actual or before == after:
            return False
        return datetime.fromisoformat(after) == go_live.planned_at


def _migration(event: Event) -> int:
    """The id of the migration whose event it is; 0 when it names none."""
    number = event.stream.removeprefix(STREAM)
    return int(number) if number.isdecimal() and is_id(int(number)) else 0


def _key(event: Event) -> str:
    return event.subject.partition(":")[2]


def undelivered(now: datetime) -> None:
    """Each mail of a migration that was given up, to its project manager, in the app only."""
    if not (found := _untold(now=now)):
        return
    dead = list(Notification.objects.filter(pk__in=found))
    reach = Reach({row.migration_id for row in dead if row.migration_id}, now=now)
    drafts = (
        Draft(
            subject=f"undelivered:{row.pk}",
            to=[to for to in reach.of(row.migration_id, [Owner.PROJECT_MANAGER]) if to.person_id],
            due_at=now,
            kind=Kind.UNDELIVERED,
            migration_id=row.migration_id,
            about_id=row.pk,
            headline=headlines.UNDELIVERED,
            path=page("tracking:people", reach.references[row.migration_id]),
        )
        for row in dead
        if row.migration_id
    )
    add(drafts, now)


@prepared
def _untold(now: Instant) -> NotificationQuerySet:
    told = Notification.objects.filter(about=OuterRef("pk"))
    return Notification.objects.filter(
        ~Exists(told),
        migration__state__in=Migration.ACTIVE_STATES,
        status=Status.DEAD,
        due_at__gt=now - DEAD_LOOKS_BACK,
    )
