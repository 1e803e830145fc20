"""What a notification says: asked before the first attempt, then the words are frozen."""

from dataclasses import replace
from datetime import datetime
from functools import cache

from django.conf import settings
from django.urls import reverse

from practices.accounts.models import Invitation
from practices.accounts.tokens import token_of
from practices.common.models import Event
from practices.tracking.models import ClockRun, Gate, KeyDate, Migration
from practices.tracking.records import is_record
from practices.tracking.rules import GL, end_note

from .act_words import go_live_words, tasks_words
from .checking import NOT_WANTED, NOTHING_OVERDUE, SETTLED, Dropped
from .composing_plan import Reminded, reminded
from .models import Notification
from .queries import Overdue, news_for, overdue_of, tasks_told
from .standing import Standing
from .wishes import How
from .wording import (
    Line,
    Words,
    access_check_words,
    clock_words,
    daily_words,
    invitation_words,
    reminder_words,
    signed_words,
    withdrawn_words,
)

Status = Notification.Status
Kind = Notification.Kind


def words_of(row: Notification, standing: Standing) -> Words | Dropped:
    """What ``row``, one of those that ``standing`` is about, says as things stand.

    Dropped when there turns out to be nothing to say. Of a clock everybody is told the same.
    """
    if row.clock_run_id is None:
        return _words_to(row, standing)
    said, told = standing.said_of_clocks, (row.clock_run_id, row.kind, row.person_id is None)
    if told not in said:
        said[told] = _words_to(row, standing)
    return said[told]


def _words_to(row: Notification, standing: Standing) -> Words | Dropped:
    words = _words_of(row, standing)
    if isinstance(words, Dropped) or row.person is None:
        return words
    return replace(words, preferences=settings.SITE_URL + _preferences())


@cache
def _preferences() -> str:
    """The same for everybody, and in every mail."""
    return reverse("reminders:preferences")


def _words_of(row: Notification, standing: Standing) -> Words | Dropped:
    if row.invitation:
        return _invitation_words(row.invitation)
    if row.clock_run and row.kind == Kind.ACCESS:
        return _access_check_words(row.clock_run, standing.now)
    if row.clock_run:
        return _clock_words(row.clock_run, standing)
    if row.plan_reminder:
        about = reminded(row, standing)
        return _reminder_words(about, standing.now) if about else SETTLED
    if row.gate:
        return _gate_words(row.gate, row)
    if row.migration:
        return _act_words(row, row.migration)
    return _daily_words(row, standing)


def _act_words(row: Notification, migration: Migration) -> Words:
    practice = migration.name
    by = str((row.event and row.event.by) or "Migration Tracker")
    url = settings.SITE_URL + row.path
    if row.kind == Kind.MOVED:
        go_live = KeyDate.objects.select_related("plan_key_date").get(migration=migration, key=GL)
        first = Event.objects.get(pk=row.events[0])
        before = datetime.fromisoformat(first.data["dates"][GL][0])
        return go_live_words(go_live, before, practice=practice, by=by, url=url)
    tasks = tasks_told(row)
    urls = [_url("tracking:task", migration.reference, task.code) for task in tasks]
    return tasks_words(row.kind, tasks, practice=practice, by=by, urls=urls, url=url)


def _invitation_words(invitation: Invitation) -> Words:
    return invitation_words(
        invitation, url=_url("accounts:invited", str(invitation.pk), token_of(invitation))
    )


def _clock_words(run: ClockRun, standing: Standing) -> Words:
    migration = run.migration
    return clock_words(
        run,
        practice=migration.name,
        stops=standing.stops[run.plan_clock.version_id, run.plan_clock.stops],
        note=end_note(run.ends_on, standing.calendar),
        url=_url("tracking:overview", migration.reference),
        now=standing.now,
    )


def _access_check_words(run: ClockRun, now: datetime) -> Words:
    migration = run.migration
    return access_check_words(
        run,
        practice=migration.name,
        url=_url("tracking:check_access", migration.reference),
        now=now,
    )


def _reminder_words(about: Reminded, now: datetime) -> Words:
    reference = about.migration.reference
    url = _url("tracking:overview", reference)
    if about.gate:
        url = _url("tracking:gate", reference, about.gate.key)
    elif about.task:
        url = _url("tracking:task", reference, about.task.code)
    return reminder_words(
        about.reminder,
        practice=about.migration.name,
        gate=(about.gate.title, about.gate.ready_at) if about.gate else None,
        key_date=about.key_date,
        task=about.task,
        url=url,
        now=now,
    )


def _gate_words(gate: Gate, row: Notification) -> Words:
    number = row.round or 0  # the database holds that it is given
    practice = gate.migration.name
    url = _url("tracking:gate", gate.migration.reference, gate.key)
    if row.kind == Kind.WITHDRAWN:
        at = gate.withdrawals.get(round=number).at
        confirmed = row.event_id is None
        return withdrawn_words(
            practice=practice, gate=gate.title, at=at, url=url, confirmed=confirmed
        )
    signatures = list(gate.sign_offs.filter(round=number).select_related("by").order_by("at", "pk"))
    accepted = {
        code
        for signature in signatures
        if is_record(signature.snapshot)  # one forged row must not keep the others from being told
        for code in signature.snapshot["exceptions"]
    }
    unfinished = gate.migration.tasks.filter(code__in=accepted).with_people().in_plan_order()
    return signed_words(
        signatures,
        list(unfinished),
        practice=practice,
        gate=gate.title,
        statement=gate.plan_gate.statement,
        url=url,
    )


def _daily_words(row: Notification, standing: Standing) -> Words | Dropped:
    person, now, wishes = row.person, standing.now, standing.wishes
    if person is None:
        return NOTHING_OVERDUE
    muted = [migration for whose, migration in wishes.muted if whose == person.pk]
    mailed = wishes.of(person.pk, Kind.OVERDUE) != How.IN_APP
    overdue = overdue_of(person, now, without=muted) if mailed else Overdue([], [])
    news = news_for(row, person, now, without=muted)
    if not overdue and not news:
        if row.headline and (muted or not mailed):
            return Dropped(Status.IN_APP, NOT_WANTED[Status.IN_APP])
        return NOTHING_OVERDUE
    # So that no later mail says it again; should this one never be sent, a later one does.
    Notification.objects.filter(pk__in=[one.pk for one in news]).update(digest=row)
    urls = {
        managed.migration.reference: _url("tracking:tasks", managed.migration.reference)
        + "?show=overdue"
        for managed in overdue.managed
    } | {
        f"{task.migration.reference} {task.code}": _url(
            "tracking:task", task.migration.reference, task.code
        )
        for task in overdue.tasks
    }
    lines = [
        Line(
            f"{one.headline}: {one.task}" if one.task else one.headline,
            one.migration.name if one.migration else "",
            settings.SITE_URL + one.path,
        )
        for one in news
    ]
    return daily_words(overdue, lines, urls=urls, home=f"{settings.SITE_URL}/")


def _url(name: str, *arguments: str) -> str:
    return settings.SITE_URL + reverse(name, args=arguments)
