"""What a calendar link shows: dates of migrations and own tasks, as iCalendar (RFC 5545, 7986).

Days are DATE values and instants are UTC, so no calendar program has to know when UK clocks
change. What a person typed is not in it, but for the title of a task that was added to a
migration, as its page shows it. The same dates make the same bytes: each entry carries the time
of its own last change, which row history knows, never that of the request.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Max, Model
from django.urls import reverse
from icalendar import Calendar, Event, vDuration

from practices.accounts.models import User
from practices.common.models import Text, sha256
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import london_date
from practices.tracking.models import ClockRun, KeyDate, Migration, Task
from practices.tracking.queries import ClockNow
from practices.tracking.team import audience, tasks_of

from .models import CalendarLink

PRODUCT = "-//Migration Tracker//Calendar 1//EN"
READ_EVERY = timedelta(hours=1)
MOST_ENTRIES = 3000  # so many take seconds to write, and calendar programs have limits too


@dataclass(frozen=True)
class Change:
    """How often something was changed after it was made, and when last."""

    number: int
    at: datetime


UNKNOWN = Change(1, datetime(2026, 1, 1, tzinfo=UTC))  # of a row whose history was tampered with


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar: on a day, or at an instant. ``rows`` are what it is read from."""

    uid: str
    title: str
    when: date | datetime
    said: str
    url: str
    rows: tuple[Model, ...] = field(repr=False)
    cancelled: bool = False

    @property
    def day(self) -> date:
        return london_date(self.when) if isinstance(self.when, datetime) else self.when


@dataclass(frozen=True)
class Feed:
    """A calendar as it is now: entries in their order, each with what changed it."""

    name: str
    entries: list[tuple[Entry, Change]]

    @property
    def etag(self) -> str:
        """Known without writing the calendar, which takes longest: most requests end with it."""
        return f'"{sha256(PRODUCT + repr(self))}"'

    def written(self) -> bytes:
        """As iCalendar."""
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        for property_name in ("name", "x-wr-calname"):
            calendar.add(property_name, self.name)
        calendar.add("refresh-interval", READ_EVERY, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", vDuration(READ_EVERY).to_ical().decode())
        for entry, change in self.entries:
            calendar.add_component(_event(entry, change))
        return bytes(calendar.to_ical())


def feed(link: CalendarLink, now: datetime) -> Feed | None:
    """The calendar behind a link; None when its person may not see it today."""
    migrations = Migration.objects.visible_to(link.person).with_people()
    if link.migration_id:
        migration = migrations.filter(pk=link.migration_id).first()
        if migration is None:
            return None
        return _feed(f"{migration.name}: migration", _dates({migration.pk: migration}))
    if not link.person.current_memberships:
        return None
    # What has ended, or was cancelled, is out of the way.
    active = migrations.active().in_bulk()
    entries = [*_dates(active), *_own_tasks(link.person, active, now)]
    return _feed("Migrations", _nearest(entries, london_date(now)))


def _nearest(entries: list[Entry], today: date) -> list[Entry]:
    """All of them, or the first so many to come when there are more than a calendar takes."""
    return sorted(entries, key=lambda entry: (entry.day < today, entry.day))[:MOST_ENTRIES]


def _dates(migrations: dict[int, Migration]) -> list[Entry]:
    """Key dates, and the ends of running clocks."""
    dates = KeyDate.objects.filter(migration__in=migrations).select_related("plan_key_date")
    attempts = defaultdict(list)
    for run in ClockRun.objects.filter(migration__in=migrations).select_related("plan_clock"):
        attempts[run.migration_id, run.key].append(run)
    return [_date_entry(date, migrations[date.migration_id]) for date in dates] + [
        _clock_entry(run, tuple(runs), migrations[migration])
        for (migration, _), runs in attempts.items()
        for run in runs
        if run.is_running
    ]


def _date_entry(row: KeyDate, migration: Migration) -> Entry:
    when = row.at if row.has_time else row.on
    return Entry(
        uid=f"{migration.reference}-date-{row.key}",
        title=f"{migration.name}: {row.title}",
        when=when,
        said=f"{'Happened' if row.actual else 'Planned for'} {_in_words(when)}.",
        url=_url("tracking:dates", migration.reference),
        rows=(row,),
        cancelled=migration.state == Migration.State.CANCELLED and not row.actual,
    )


def _clock_entry(run: ClockRun, attempts: tuple[ClockRun, ...], migration: Migration) -> Entry:
    """The end of a clock. One that begins anew, or is extended, moves the entry it had."""
    when = run.ends_at if run.counts_hours else run.ends_on
    limit = ClockNow(run, run.started_at).limit_name
    ends = "ends" if run.counts_hours else "last day"
    return Entry(
        uid=f"{migration.reference}-clock-{run.key}",
        title=f"{migration.name}: {run.title}, {ends} ({limit})",
        when=when,
        said=f"Running since {uk_datetime(run.started_at)}. The limit: {_in_words(when)}.",
        url=_url("tracking:overview", migration.reference),
        rows=attempts,
    )


def _own_tasks(person: User, migrations: dict[int, Migration], now: datetime) -> list[Entry]:
    acting = audience(migrations.values(), now=now, person=person)
    tasks = Task.objects.asked_for().filter(migration__in=migrations)
    return [
        _task_entry(task, migrations[task.migration_id])
        for task in tasks_of(person, tasks, acting, now).with_people()
    ]


def _task_entry(task: Task, migration: Migration) -> Entry:
    when = task.due_at if task.is_timed else task.due_on
    return Entry(
        uid=f"{migration.reference}-task-{task.code}",
        title=f"{migration.name}: {task}",
        when=when,
        said=f"{task.get_state_display()}. Due {_in_words(when)}.",
        url=_url("tracking:task", migration.reference, task.code),
        rows=(task, task.own_title) if task.own_title else (task,),
    )


def _in_words(when: date | datetime) -> str:
    return uk_datetime(when) if isinstance(when, datetime) else uk_date(when)


def _url(name: str, *arguments: str) -> str:
    return settings.SITE_URL + reverse(name, args=arguments)


def _feed(name: str, entries: list[Entry]) -> Feed:
    changes = _changes(entries)
    ordered = sorted(entries, key=lambda entry: entry.uid)
    return Feed(name, [(entry, changes[entry.uid]) for entry in ordered])


def _event(entry: Entry, change: Change) -> Event:
    event = Event()
    event.add("uid", f"{entry.uid}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("dtstamp", change.at)
    event.add("last-modified", change.at)
    event.add("sequence", change.number)
    event.add("dtstart", entry.when)
    if not isinstance(entry.when, datetime):
        event.add("dtend", entry.when + timedelta(days=1))
    event.add("summary", entry.title)
    event.add("description", f"{entry.said}\n{entry.url}")
    event.add("url", entry.url)
    event.add("transp", "TRANSPARENT")  # it takes nobody's time
    if entry.cancelled:
        event.add("status", "CANCELLED")
    return event


def _changes(entries: Iterable[Entry]) -> dict[str, Change]:
    """How often and when the rows of each entry were changed, which their history knows."""
    kinds: tuple[type[Model], ...] = (KeyDate, ClockRun, Task, Text)
    wanted: dict[type[Model], set[Any]] = {model: set() for model in kinds}
    for entry in entries:
        for row in entry.rows:
            wanted[type(row)].add(row.pk)
    found: dict[tuple[type[Model], Any], Change] = {}
    for model, keys in wanted.items():
        history = apps.get_model(model._meta.app_label, f"{model.__name__}Event")
        changed = history.objects.filter(pgh_obj_id__in=keys).order_by().values_list("pgh_obj_id")
        for key, number, at in changed.annotate(Count("pk"), Max("pgh_created_at")):
            found[model, key] = Change(number, at)
    return {
        entry.uid: _together([found.get((type(row), row.pk), UNKNOWN) for row in entry.rows])
        for entry in entries
    }


def _together(changes: list[Change]) -> Change:
    # Being made is no change.
    return Change(sum(change.number for change in changes) - 1, max(c.at for c in changes))
