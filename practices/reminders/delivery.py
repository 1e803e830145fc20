"""The sender: claims what is due, checks it again, hands it to the mail server, records the answer.

Mail arrives at least once and is recognised by its Message-ID when it comes
twice. No transaction is open while the mail server is spoken to
(reliability.md 1.3 and 1.4).
"""

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string

from practices.common.time import to_london
from practices.tracking.models import PatientDataReport

from .composing import Dropped, dropped, words_of
from .models import MOST_ATTEMPTS, Notification
from .post import Answer, Letter, Post
from .rules import is_given_up, wait_before_retry
from .wording import Words

logger = logging.getLogger(__name__)
Status = Notification.Status

BATCH = 20
ENOUGH = 60.0  # seconds after which the rest of a batch waits: Celery ends a task at 300
CHECK_HOLDS = 1.0  # seconds between the check of a row and the handing over of its mail
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


def lease() -> timedelta:
    """Longer than the slowest mail: its timeout holds for each of about nine steps."""
    return max(timedelta(minutes=5), 12 * timedelta(seconds=settings.EMAIL_TIMEOUT))


def deliver(*, now: datetime) -> int:
    """Send one batch of what is due. How many rows were seen to; 0 when there is no more to do now.

    Safe to run any number of times at once. When the mail server does not
    answer, what is left of the batch goes back and 0 is returned; when it is
    slow, the rest goes back to be taken again.
    """
    claim = _claim(now)
    begun, broken, left = monotonic(), 0, list(claim.keys)
    with Post() as post:
        for row in _checked_one_by_one(claim, now):
            answer = post.send(row.letter) if row.letter else Answer(row.fault)
            _record(row.key, claim.token, answer, now)
            left.remove(row.key)
            broken = broken + 1 if answer.broken else 0
            if broken == SILENT_SERVER or monotonic() - begun > ENOUGH:
                _give_back(left, claim.token)
                break
    return 0 if broken == SILENT_SERVER else len(claim.keys)


@transaction.atomic
def _claim(now: datetime) -> Claim:
    """Take a batch, skipping what other workers are taking; committed before anything is sent.

    What workers left when they died twice is taken one at a time: a mail that kills
    workers would take the rest of a batch down with it, again and again.
    """
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
        Notification.objects.filter(pk__in=claim.keys).update(
            status=Status.SENDING,
            lease_until=Now() + lease(),
            lease_token=claim.token,
            attempts=F("attempts") + 1,
        )
    return claim


def _checked_one_by_one(claim: Claim, now: datetime) -> Iterator[Checked]:
    """What is still to be sent, each checked so shortly before that the check still holds.

    Checking many rows takes little longer than one; whatever a slow mail has made
    old is checked, and its lease renewed, once more.
    """
    left = claim.keys
    while left:
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
        Notification.objects.select_for_update(of=("self",))
        .select_related(
            "person",
            "contact",
            "invitation__organisation",
            "invitation__invited_by",
            "migration__practice__organisation",
            "plan_reminder",
            "clock_run__plan_clock__version",
            "clock_run__migration__practice__organisation",
            "gate__plan_gate",
            "gate__migration__practice__organisation",
        )
        .filter(pk__in=keys, lease_token=token)
        .order_by("pk")
    )
    # What is counted before the words are read is hidden in them.
    reports = PatientDataReport.objects.count()
    kept = [row for row in rows if _is_to_be_sent(row, reports, now)]
    settled = ["status", "last_error", "lease_until", "lease_token"]
    Notification.objects.bulk_update(rows, [*settled, "address", "content", "reports_known"])
    Notification.objects.filter(pk__in=[row.pk for row in kept]).update(lease_until=Now() + lease())
    return [Checked(row.pk, Letter(row.address, bytes(row.content or b""))) for row in kept]


def _is_to_be_sent(row: Notification, reports: int, now: datetime) -> bool:
    """Whether a locked row still holds good; its mail is then written. Saves nothing."""
    to = row.person or row.contact or row.invitation
    email = to.email  # type: ignore[union-attr]  # the database holds that there is one
    # An address corrected between two attempts counts, and so does patient data hidden since: the
    # mail is written anew.
    stale = row.address != email or row.reports_known != reports
    words = dropped(row, now) or (words_of(row, now) if stale else None)
    if isinstance(words, Dropped):
        row.status, row.last_error = words.status, words.why
        row.lease_until = row.lease_token = None
        row.content = row.content and b""
        return False
    if words is not None:
        row.address, row.reports_known = email, reports
        row.content = _written(row, words, now)
    return True


def _written(row: Notification, words: Words, now: datetime) -> bytes:
    """The mail as bytes, with the Message-ID of the row and the Date of this moment."""
    mail = EmailMultiAlternatives(
        # A name with a line break in it must not become a second header.
        subject=" ".join(words.subject.split()),
        body=render_to_string("reminders/mail.txt", {"words": words}),
        to=[row.address],
        headers={
            "Message-ID": row.message_id,
            "Date": format_datetime(to_london(now)),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **({"List-Unsubscribe": f"<{words.preferences}>"} if words.preferences else {}),
        },
    )
    mail.attach_alternative(render_to_string("reminders/mail.html", {"words": words}), "text/html")
    return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own


def _record(key: int, token: UUID, answer: Answer, now: datetime) -> None:
    """Write down what became of an attempt, if the row is still ours."""
    became: dict[str, Any] = {"lease_until": None, "lease_token": None}
    if answer.accepted:
        became |= {"status": Status.SENT, "sent_at": now, "smtp_reply": answer.reply[:500]}
        became["content"] = b""  # nobody reads it again, and it may say what must not be kept
    else:
        became |= _failed(key, answer, now)
    Notification.objects.filter(pk=key, lease_token=token).update(**became)


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
    Notification.objects.filter(pk__in=keys, lease_token=token).update(
        status=Status.PENDING, lease_until=None, lease_token=None, attempts=F("attempts") - 1
    )
