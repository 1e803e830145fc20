"""The sender: claims what is due, checks it again, hands it to the mail server, records the answer.

Mail arrives at least once and is recognised by its Message-ID when it comes
twice. No transaction is open while the mail server is spoken to
(reliability.md 1.3 and 1.4).
"""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from practices.common.prepared import kept_ready
from practices.tracking.models import PatientDataReport

from .checking import Dropped, dropped
from .composing import words_of
from .models import MOST_ATTEMPTS, Notification
from .post import Answer, Letter, Post
from .rules import is_given_up, wait_before_retry
from .standing import Standing
from .writing import Writer

logger = logging.getLogger(__name__)
Status = Notification.Status

BATCH = 250  # rows: fewer take longer each, more wait for a lease when a worker is killed
ENOUGH = 60.0  # seconds after which the rest of a batch waits: Celery ends a task at 300
CHECK_HOLDS = 1.0  # seconds between the check of a row and the handing over of its mail
# What is done for every mail, by hand: to have each of them compiled takes longer than sending it.
WRITE = """
UPDATE reminders_notification
SET address = written.address, content = written.content, reports_known = %s
FROM unnest(%s::bigint[], %s::text[], %b::bytea[]) AS written (id, address, content)
WHERE reminders_notification.id = written.id
"""
ACCEPTED = """
INSERT INTO reminders_acceptance (notification_id, token, at, reply) VALUES (%s, %s, %s, %s)
"""
# Locked in one order, so that workers that do this at once wait for each other. Nobody reads the
# content again, and it may say what must not be kept.
ENTER_ACCEPTED = """
WITH accepted AS (
    DELETE FROM reminders_acceptance
    WHERE id IN (SELECT id FROM reminders_acceptance ORDER BY id FOR UPDATE)
    RETURNING notification_id, token, at, reply
)
UPDATE reminders_notification
SET status = 'sent', sent_at = accepted.at, smtp_reply = accepted.reply, content = '',
    lease_until = NULL, lease_token = NULL
FROM accepted
WHERE reminders_notification.id = accepted.notification_id
    AND reminders_notification.lease_token = accepted.token
"""
# Columns that neither decide whether a mail goes nor stand in it; times take long to read.
NOT_ASKED = [
    *("next_attempt_at", "lease_until", "lease_token", "first_failed_at", "sent_at", "read_at"),
    *("smtp_reply", "last_error"),
]
SILENT_SERVER = 3  # broken connections in a row after which the rest of a batch waits


@dataclass(frozen=True)
class Claim:
    """Rows that are ours until the lease ends; every later write asks for the token."""

    keys: list[int]
    token: UUID


@dataclass(frozen=True)
class Checked:
    """A row to be sent now: its mail, or why it could not be written."""

    key: int
    letter: Letter | None
    fault: str = ""


class Ledger:
    """What became of the mails of a claim, each written down before the next one goes.

    That is while the mail server looks at the next one's addresses: to wait for the database and
    then for the server takes a tenth longer.
    """

    def __init__(self, claim: Claim, now: datetime, cursor: psycopg.Cursor[Any]) -> None:
        self.claim, self.now, self.cursor = claim, now, cursor
        self.open: tuple[int, Answer] | None = None

    def note(self, key: int, answer: Answer) -> None:
        """Have it written soon what became of the mail of row ``key``."""
        self.close()
        self.open = (key, answer)

    def close(self) -> None:
        """Write down what is not written yet."""
        if self.open:
            (key, answer), self.open = self.open, None
            _record(key, self.claim.token, answer, self.now, self.cursor)


def lease() -> timedelta:
    """Longer than the slowest mail: its timeout holds for each of about nine steps."""
    return max(timedelta(minutes=5), 12 * timedelta(seconds=settings.EMAIL_TIMEOUT))


def deliver(*, now: datetime, when_more: Callable[[], None] = lambda: None) -> int:
    """Send one batch of what is due. How many rows were seen to; 0 when there is no more to do now.

    Safe to run any number of times at once. When the mail server does not
    answer, what is left of the batch goes back and 0 is returned; when it is
    slow, the rest goes back to be taken again.

    ``when_more`` is called once if there may be more to do now, and already with the first mail
    that the server takes, so that somebody else can begin beside this one.
    """
    claim = _claim(now)
    begun, broken, left, told = monotonic(), 0, list(claim.keys), False
    with Post() as post, kept_ready() as cursor, closing(Ledger(claim, now, cursor)) as ledger:
        for row in _checked_one_by_one(claim, now, ledger):
            answer = post.send(row.letter, ledger.close) if row.letter else Answer(row.fault)
            ledger.note(row.key, answer)
            left.remove(row.key)
            if answer.accepted and not told:
                when_more()
                told = True
            broken = broken + 1 if answer.broken else 0
            if broken == SILENT_SERVER or monotonic() - begun > ENOUGH:
                _give_back(left, claim.token)
                break
    _enter_accepted()
    silent = broken == SILENT_SERVER
    if claim.keys and not (told or silent):
        when_more()
    return 0 if silent else len(claim.keys)


@transaction.atomic
def _claim(now: datetime) -> Claim:
    """Take a batch, skipping what other workers are taking; committed before anything is sent.

    What workers left when they died twice is taken one at a time: a mail that kills
    workers would take the rest of a batch down with it, again and again. What they had already
    delivered is entered first: it is not to be sent again.
    """
    _enter_accepted()
    rows: list[Notification] = []
    for queue in (Notification.objects.abandoned(), Notification.objects.waiting(now)):
        free = queue.select_for_update(skip_locked=True).only("status", "attempts", "last_error")
        rows = rows or list(free[:BATCH])
    suspects = [row for row in rows if row.status == Status.SENDING and row.attempts > 1]
    rows = suspects[:1] or rows
    worn_out = [row for row in rows if row.attempts >= MOST_ATTEMPTS]
    for row in worn_out:
        row.status, row.lease_until, row.lease_token = Status.DEAD, None, None
        reason = row.last_error or "Workers ended while they sent it"
        row.last_error = f"Given up after {MOST_ATTEMPTS} attempts: {reason}"[:500]
        row.save(update_fields=["status", "lease_until", "lease_token", "last_error"])
        Notification.objects.filter(pk=row.pk, content__isnull=False).update(content=b"")
    claim = Claim([row.pk for row in rows if row not in worn_out], uuid4())
    if claim.keys:
        Notification.objects.filter(pk__among=claim.keys).update(
            status=Status.SENDING,
            lease_until=Now() + lease(),
            lease_token=claim.token,
            attempts=F("attempts") + 1,
        )
    return claim


def _checked_one_by_one(claim: Claim, now: datetime, ledger: Ledger) -> Iterator[Checked]:
    """What is still to be sent, each checked so shortly before that the check still holds.

    Checking many rows takes little longer than one; whatever a slow mail has made
    old is checked, and its lease renewed, once more.
    """
    left = claim.keys
    while left:
        ledger.close()
        rows = _check(left, claim.token, now)
        at, given = monotonic(), 0
        for row in rows:
            if given and monotonic() - at > CHECK_HOLDS:
                break
            given += 1
            yield row
        left = [row.key for row in rows[given:]]


def _check(keys: list[int], token: UUID, now: datetime) -> list[Checked]:
    """The rows that are still ours and still to be sent, with their frozen mails."""
    try:
        return _prepare(keys, token, now)
    except (OperationalError, InterfaceError):
        raise  # without the database nothing can be recorded: the lease sees to the rest
    except Exception as error:
        if len(keys) == 1:
            logger.exception("Notification %s could not be prepared", keys[0])
            return [Checked(keys[0], None, f"{type(error).__name__}: {error}")]
    # One mail that cannot be written stops no other.
    return [row for key in keys for row in _check([key], token, now)]


@transaction.atomic
def _prepare(keys: list[int], token: UUID, now: datetime) -> list[Checked]:
    """Check claimed rows again, renew their lease and give the frozen mails, written on first use.

    Rows that are no longer ours or no longer to be sent are left out.
    """
    rows = list(
        Notification.objects.select_for_update()
        .filter(pk__among=keys, lease_token=token)
        .order_by("pk")
        .defer(*NOT_ASKED)
    )
    # What is counted before the words are read is hidden in them.
    reports = PatientDataReport.objects.count()
    standing, writer = Standing(rows, now), Writer(now)
    kept = [row for row in rows if _is_to_be_sent(row, reports, standing, writer)]
    _save(writer.written, reports)
    fresh = Now() + lease() - timedelta(seconds=CHECK_HOLDS)
    ours = Notification.objects.filter(status=Status.SENDING, lease_token=token)
    ours.filter(lease_until__lt=fresh).update(lease_until=Now() + lease())
    return [Checked(row.pk, Letter(row.address, bytes(row.content or b""))) for row in kept]


def _save(written: list[Notification], reports: int) -> None:
    columns = zip(*((row.pk, row.address, row.content) for row in written), strict=True)
    if written:
        with kept_ready() as cursor:
            cursor.execute(WRITE, [reports, *map(list, columns)], prepare=True)


def _is_to_be_sent(row: Notification, reports: int, standing: Standing, writer: Writer) -> bool:
    """Whether a locked row still holds good; its mail is then written, unless it is already.

    Saves what is dropped, not what is written.
    """
    to = row.person or row.contact or row.invitation
    email = to.email  # type: ignore[union-attr]  # the database holds that there is one
    # An address corrected between two attempts counts, and so does patient data hidden since: the
    # mail is written anew.
    stale = row.address != email or row.reports_known != reports
    words = dropped(row, standing) or (words_of(row, standing) if stale else None)
    if isinstance(words, Dropped):
        row.status, row.last_error = words.status, words.why
        row.lease_until = row.lease_token = None
        row.content = row.content and b""
        row.save(update_fields=["status", "last_error", "lease_until", "lease_token", "content"])
        return False
    if words is not None:
        row.address = email
        writer.write(row, words)
    return True


def _record(
    key: int, token: UUID, answer: Answer, now: datetime, cursor: psycopg.Cursor[Any]
) -> None:
    """Write down what became of an attempt, if the row is still ours."""
    if answer.accepted:
        cursor.execute(ACCEPTED, [key, token, now, answer.reply[:500]], prepare=True)
        return
    became = {"lease_until": None, "lease_token": None, **_failed(key, answer, now)}
    Notification.objects.filter(pk=key, lease_token=token).update(**became)


def _enter_accepted() -> None:
    """Write into the outbox which mails have been taken, by whichever worker."""
    with connection.cursor() as cursor:
        cursor.execute(ENTER_ACCEPTED)


def _failed(key: int, answer: Answer, now: datetime) -> dict[str, Any]:
    """What a failure makes of a row: tried again later, or dead with the reason."""
    row = Notification.objects.get(pk=key)
    first_failed_at = row.first_failed_at or now
    became = {"last_error": answer.reply[:500], "first_failed_at": first_failed_at}
    if answer.for_good or is_given_up(first_failed_at, now):
        logger.error("Notification %s is undeliverable: %s", row.dedupe_key, answer.reply)
        return became | {"status": Status.DEAD, "content": row.content and b""}
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, keeps no secret
    wait = wait_before_retry(row.attempts, jitter)
    return became | {"status": Status.PENDING, "next_attempt_at": now + wait}


def _give_back(keys: list[int], token: UUID) -> None:
    """What was claimed and never tried waits as before."""
    Notification.objects.filter(pk__among=keys, lease_token=token).update(
        status=Status.PENDING, lease_until=None, lease_token=None, attempts=F("attempts") - 1
    )
