"""Making and ending the secret addresses that calendar programs read (docs/adr/0010)."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from practices.accounts.models import User
from practices.common.errors import Conflict
from practices.common.models import sha256
from practices.common.services import SITE_STREAM, record_event
from practices.tracking.models import Migration

from .models import CalendarLink

TOKEN_BYTES = 32  # ASVS 11.5.1 asks for 16
NOTED_EVERY = timedelta(hours=1)


def present_link(person: User, migration: Migration | None) -> CalendarLink | None:
    """The link that works now: for one migration, or for all that the person sees."""
    links = CalendarLink.objects.filter(person=person, migration=migration, revoked_at=None)
    return links.first()


@transaction.atomic
def make_link(*, migration: Migration | None, seen: int | None, by: User, at: datetime) -> str:
    """Make a link for ``by``; the one before it no longer works. Its token, given only here.

    ``seen`` is the id of the link that the person saw as theirs. Raises :class:`Conflict` when it
    is another by now: a page that is sent twice must not end the link it has just shown.
    """
    before = _lock_present(by, migration)
    if (before.pk if before else None) != seen:
        raise Conflict(
            "A link was made or removed since this page was opened, so nothing was changed. "
            "Make a new link if you do not have the address of the one below."
        )
    if before:
        _revoke(before, by=by, at=at)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = CalendarLink.objects.create(
        person=by, migration=migration, token_digest=sha256(token), created_at=at
    )
    _note("calendar.link_made", link, by=by, at=at)
    return token


@transaction.atomic
def revoke_link(*, migration: Migration | None, by: User, at: datetime) -> None:
    """From now on the link of ``by`` shows nothing. Done before, it stays done."""
    if link := _lock_present(by, migration):
        _revoke(link, by=by, at=at)


def link_of(token: str) -> CalendarLink | None:
    """The link a calendar program asks by, if it was not removed."""
    links = CalendarLink.objects.filter(token_digest=sha256(token), revoked_at=None)
    return links.select_related("person").first()


def note_use(*, link: CalendarLink, at: datetime) -> None:
    """Remember that a program reads it, so that its person can tell whether one still does."""
    old = Q(used_at=None) | Q(used_at__lt=at - NOTED_EVERY)
    if link.used_at is None or link.used_at < at - NOTED_EVERY:
        CalendarLink.objects.filter(old, pk=link.pk).update(used_at=at)


def _lock_present(person: User, migration: Migration | None) -> CalendarLink | None:
    # Two presses at once wait for each other here, also while there is no link yet.
    User.objects.select_for_update().get(pk=person.pk)
    return present_link(person, migration)


def _revoke(link: CalendarLink, *, by: User, at: datetime) -> None:
    link.revoked_at = at
    link.save(update_fields=["revoked_at"])
    _note("calendar.link_revoked", link, by=by, at=at)


def _note(kind: str, link: CalendarLink, *, by: User, at: datetime) -> None:
    data = {"migration": link.migration_id} if link.migration_id else {}
    subject = f"calendar_link:{link.pk}"
    record_event(stream=SITE_STREAM, kind=kind, by=by, at=at, subject=subject, data=data)
