"""What people decide about what they are told: services, as in every room.

``services.py`` makes reminders happen; these are the acts of those who get them.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Refused
from practices.common.services import SITE_STREAM, record_event, text_reference, write_text
from practices.common.templatetags.uk import uk_date
from practices.common.time import london_date
from practices.tracking.models import Migration

from .models import Mute, Notification, NotificationPreference
from .wishes import USUALLY, Wishes

LONGEST_MUTE = timedelta(days=92)


@transaction.atomic
def set_preferences(*, wanted: Mapping[str, str], by: User, at: datetime) -> bool:
    """Choose how to be told of each kind; whether that changed anything.

    What is as it usually is has no row until it was something else.
    """
    # Everything a person chooses waits for their row.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    before = Wishes([by.pk], at)
    changed = {
        kind: [before.of(by.pk, kind), wanted[kind]]
        for kind in USUALLY
        if kind in wanted and before.of(by.pk, kind) != wanted[kind]
    }
    for kind, (_, how) in changed.items():
        NotificationPreference.objects.update_or_create(person=by, kind=kind, defaults={"how": how})
    if changed:
        _note("preferences_changed", by=by, at=at, changed=changed)
    return bool(changed)


@transaction.atomic
def mute(*, migration: Migration, reason: str, until: date, by: User, at: datetime) -> Mute:
    """Have no mails about a migration until and including a day; saying it again changes it.

    Raises :class:`Refused` when the migration is over, or the day is past or more than
    three months away: silence has an end that somebody can foresee.
    """
    today = london_date(at)
    if not migration.is_active:
        raise Refused("The migration is over, so no mails come from it.")
    if until < today:
        raise Refused("That day is past. Enter today or a later day.")
    if until > today + LONGEST_MUTE:
        raise Refused(f"Enter a day not later than {uk_date(today + LONGEST_MUTE)}.")
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    why = write_text(body=reason, by=by, at=at)
    muted, _ = Mute.objects.update_or_create(
        person=by,
        migration=migration,
        lifted_at=None,
        defaults={"reason": why, "until": until, "since": at},
    )
    _note(
        "muted",
        by=by,
        at=at,
        migration=migration.reference,
        until=until.isoformat(),
        reason=text_reference(why),
    )
    return muted


@transaction.atomic
def lift_mute(*, migration: Migration, by: User, at: datetime) -> bool:
    """Have mails about a migration again; whether there was a mute to lift."""
    muted = Mute.objects.select_for_update(of=("self",)).filter(
        person=by, migration=migration, lifted_at=None
    )
    for row in muted:
        row.lifted_at = at
        row.save(update_fields=["lifted_at"])
        _note("mute_lifted", by=by, at=at, migration=migration.reference)
        return True
    return False


def mark_read(*, row: Notification, at: datetime) -> None:
    """Its person has opened it; the first time counts."""
    Notification.objects.filter(pk=row.pk, read_at=None).update(read_at=at)


def mark_all_read(*, by: User, at: datetime) -> int:
    """Everything in the inbox at this moment counts as read. How many rows that were new."""
    unread = Notification.objects.inbox_of(by, at).unread()
    return Notification.objects.filter(pk__in=unread.values("pk")).update(read_at=at)


def _note(kind: str, *, by: User, at: datetime, **data: object) -> None:
    record_event(
        stream=SITE_STREAM,
        kind=f"reminders.{kind}",
        by=by,
        at=at,
        subject=f"person:{by.pk}",
        data=data,
    )
