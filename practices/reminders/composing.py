"""Whether a notification is still wanted, and what it says.

The first is asked before every attempt, so that nobody is told what has been
settled in the meantime. The second only before the first attempt: then the
words are frozen.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from practices.accounts.models import Invitation
from practices.accounts.queries import may_still_invite
from practices.accounts.tokens import token_of
from practices.common.calendar import working_calendar
from practices.common.models import Event
from practices.common.time import london_date
from practices.plans.rules import TASK_PREFIX
from practices.tracking.models import ClockRun, Gate, KeyDate, Migration
from practices.tracking.models.clock import CHECK_EVERY
from practices.tracking.records import is_record
from practices.tracking.rules import GL, end_note

from .act_words import go_live_words, tasks_words
from .composing_plan import Reminded, reminded
from .models import Notification
from .queries import Overdue, news_for, overdue_of, tasks_told
from .rules import newest_due
from .wishes import How, Wishes
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


@dataclass(frozen=True)
class Dropped:
    """Not to be sent: the state the row ends in, and the reason in a sentence."""

    status: str
    why: str


SETTLED = Dropped(Status.CANCELLED, "What it reminds of is done, or the migration is over.")
NOTHING_OVERDUE = Dropped(Status.CANCELLED, "Nothing is overdue any more.")
NOT_WANTED = {
    Status.IN_APP: "They want this in their inbox only.",
    Status.IN_DIGEST: "They want this with the daily mail.",
}


def dropped(row: Notification, now: datetime) -> Dropped | None:
    """Why ``row`` is not to be sent any more, as things stand at this moment."""
    return _out_of_reach(row) or _settled(row, now) or _unwanted(row, now)


def _unwanted(row: Notification, now: datetime) -> Dropped | None:
    if row.person_id is None:
        return None
    status = Wishes([row.person_id], now).status(row)
    return None if status == Status.PENDING else Dropped(status, NOT_WANTED[status])


def _out_of_reach(row: Notification) -> Dropped | None:
    if row.person and not row.person.is_active:
        return Dropped(Status.CANCELLED, "The person’s account is closed.")
    if row.contact and (row.contact.removed_at or not row.contact.email):
        return Dropped(Status.CANCELLED, "The contact was removed or has no email address now.")
    if row.person and row.migration:
        visible = Migration.objects.visible_to(row.person).filter(pk=row.migration.pk)
        if not visible.exists():
            return Dropped(Status.CANCELLED, "The person may not see this migration any more.")
    return None


def _settled(row: Notification, now: datetime) -> Dropped | None:
    if row.invitation:
        return _invitation_dropped(row.invitation, row, now)
    if row.clock_run and row.kind == Kind.ACCESS:
        return _access_check_dropped(row.clock_run, row, now)
    if row.clock_run:
        return _clock_dropped(row.clock_run, row, now)
    if row.plan_reminder:
        return _reminder_dropped(row, now)
    if row.kind == Kind.OVERDUE and row.day != london_date(now):
        return Dropped(Status.SUPERSEDED, "That day is over: the next morning’s mail follows.")
    if row.gate and row.kind == Kind.SIGNED and not _still_signed(row.gate, row):
        return Dropped(Status.CANCELLED, "The sign-off was withdrawn before this was sent.")
    if row.migration and row.kind in (Kind.ASSIGNED, Kind.BLOCKED, Kind.MOVED):
        return _act_dropped(row, row.migration)
    return None


def _act_dropped(row: Notification, migration: Migration) -> Dropped | None:
    if not migration.is_active:
        return Dropped(Status.CANCELLED, "The migration is over.")
    if row.kind == Kind.MOVED:
        go_live = migration.key_dates.get(key=GL)
        if go_live.actual:
            return Dropped(Status.CANCELLED, "Go-live has happened.")
        if go_live.planned_at.isoformat() != row.basis:
            return Dropped(Status.SUPERSEDED, "Go-live was moved again.")
    elif not tasks_told(row):
        return Dropped(Status.CANCELLED, "What it told of the tasks no longer holds.")
    return None


def _still_signed(gate: Gate, row: Notification) -> bool:
    return gate.state == Gate.State.SIGNED and gate.round == row.round


def _invitation_dropped(invitation: Invitation, row: Notification, now: datetime) -> Dropped | None:
    if not invitation.is_open(now):
        return Dropped(Status.CANCELLED, "The invitation was used or withdrawn, or has expired.")
    if not may_still_invite(invitation):
        return Dropped(Status.CANCELLED, "Whoever sent it may not invite there any more.")
    if invitation.mail_asked_at > row.due_at:
        return Dropped(Status.SUPERSEDED, "The invitation was sent again, with another link.")
    return None


def _clock_dropped(run: ClockRun, row: Notification, now: datetime) -> Dropped | None:
    if not run.is_running or not run.migration.is_active:
        return Dropped(Status.CANCELLED, "The clock does not run any more.")
    newest = newest_due(run, now, working_calendar().is_working)
    if newest and newest.due_at > row.due_at:
        return Dropped(Status.SUPERSEDED, "A later warning of this clock is due.")
    return None


def _access_check_dropped(run: ClockRun, row: Notification, now: datetime) -> Dropped | None:
    if not ClockRun.objects.access_check_due(now).filter(pk=run.pk).exists():
        return Dropped(Status.CANCELLED, "Somebody has looked, or access has ended.")
    if now - row.due_at >= CHECK_EVERY:
        return Dropped(Status.SUPERSEDED, "It is asked again every week.")
    return None


def _reminder_dropped(row: Notification, now: datetime) -> Dropped | None:
    about = reminded(row)
    if about is None:
        return SETTLED
    if not about.is_newest(row.due_at, now):
        return Dropped(Status.SUPERSEDED, "The date was moved, or a later reminder is due.")
    return None


def words_of(row: Notification, now: datetime) -> Words | Dropped:
    """What ``row`` says at ``now``; Dropped when there turns out to be nothing to say."""
    words = _words_of(row, now)
    if isinstance(words, Dropped) or row.person is None:
        return words
    return replace(words, preferences=_url("reminders:preferences"))


def _words_of(row: Notification, now: datetime) -> Words | Dropped:
    if row.invitation:
        return _invitation_words(row.invitation)
    if row.clock_run and row.kind == Kind.ACCESS:
        return _access_check_words(row.clock_run, now)
    if row.clock_run:
        return _clock_words(row.clock_run, now)
    if row.plan_reminder:
        about = reminded(row)
        return _reminder_words(about, now) if about else SETTLED
    if row.gate:
        return _gate_words(row.gate, row)
    if row.migration:
        return _act_words(row, row.migration)
    return _daily_words(row, now)


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


def _clock_words(run: ClockRun, now: datetime) -> Words:
    migration = run.migration
    return clock_words(
        run,
        practice=migration.name,
        stops=_stops(run),
        note=end_note(run.ends_on, working_calendar()),
        url=_url("tracking:overview", migration.reference),
        now=now,
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


def _stops(run: ClockRun) -> str:
    """The title of the key date or task that stops the clock."""
    version, name = run.plan_clock.version, run.plan_clock.stops
    if name.startswith(TASK_PREFIX):
        return version.tasks.get(code=name.removeprefix(TASK_PREFIX)).title
    return version.key_dates.get(key=name).title


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


def _daily_words(row: Notification, now: datetime) -> Words | Dropped:
    person = row.person
    if person is None:
        return NOTHING_OVERDUE
    wishes = Wishes([person.pk], now)
    muted = [migration for _, migration in wishes.muted]
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
