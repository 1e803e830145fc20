"""Writes that every room shares: texts, and events in their chain."""

import hmac
import json
import unicodedata
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Model, QuerySet

from .models import Event, Text, sha256

Row = TypeVar("Row", bound=Model)
SITE_STREAM = "site"
FIRST_HASH = "0" * 64
_BIDI_CONTROLS = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def locked(rows: QuerySet[Row], pk: Any) -> Row:
    """One of ``rows``, locked, with what it is joined with as it is now. Raises DoesNotExist.

    Where somebody gave the row another reference while this waited for the lock, PostgreSQL finds
    that what it had joined is not the row's any more, and leaves the row out. It is locked by
    then, so reading it once more is enough.
    """
    waiting = rows.select_for_update(of=("self",)).filter(pk=pk)
    return waiting.first() or waiting.get()


def clean_text(body: str) -> str:
    """NFC, line ends as ``\\n``, no NUL and no control that reverses the reading direction."""
    body = body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return unicodedata.normalize("NFC", body.translate(_BIDI_CONTROLS)).strip()


def write_text(*, body: str, by: AbstractBaseUser | None, at: datetime) -> Text:
    """Keep a text a person typed; every change of a text is a new row."""
    body = clean_text(body)
    writer = by.pk if by else None
    return Text.objects.create(body=body, sha256=sha256(body), written_by_id=writer, written_at=at)


def text_reference(text: Text | None) -> dict[str, Any] | None:
    """What events and snapshots hold of a text: its id and digest, never its words."""
    return {"text": text.pk, "sha256": text.sha256} if text else None


def canonical(value: dict[str, Any]) -> str:
    """The one JSON form that digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def event_hash(event: Event) -> str:
    """The seal an event must carry, given its content and its predecessor's hash.

    It is keyed with ``HISTORY_KEY``, which never lies in the database: whoever has
    only the database cannot write an event that verifies (docs/adr/0009).
    """
    content = canonical(
        {
            "stream": event.stream,
            "seq": event.seq,
            "kind": event.kind,
            "by": event.by_id,
            "at": event.at.astimezone(UTC).isoformat(),
            "subject": event.subject,
            "data": event.data,
        }
    )
    key = settings.HISTORY_KEY.encode()
    return hmac.new(key, (event.prev_hash + content).encode(), "sha256").hexdigest()


def record_event(
    *,
    stream: str,
    kind: str,
    by: AbstractBaseUser | None,
    at: datetime,
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one event to its stream's chain, inside the transaction of the act itself.

    ``data`` must be plain JSON. The caller holds the migration row's lock for a
    migration's stream; the site stream is serialised here by an advisory lock.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event belongs to the act it records.")
    if stream == SITE_STREAM:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('site events'))")
    last = Event.objects.of(stream).order_by("-seq").first()
    event = Event(
        stream=stream,
        seq=last.seq + 1 if last else 1,
        kind=kind,
        by_id=by.pk if by else None,
        at=at,
        subject=subject,
        data=data or {},
        prev_hash=last.hash if last else FIRST_HASH,
    )
    event.hash = event_hash(event)
    event.save(force_insert=True)
    return event
