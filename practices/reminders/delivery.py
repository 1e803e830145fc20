"""The sender: claims what is due, checks it again, hands it to the mail server, records the answer.

Mail arrives at least once and is recognised by its Message-ID when it comes
twice. No transaction is open while the mail server is spoken to
(reliability.md 1.3 and 1.4).
"""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
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
SETTLED = (Status.SENT, Status.DEAD)
SILENT_SERVER = 3  # broken connections in a row after which the rest of a batch waits


@dataclass(frozen=True)
class Claim:
    """Rows that are ours until the lease ends; every later write asks for the token."""

    keys: list[int]
    token: UUID


def lease() -> timedelta:
    """Longer than the slowest mail: its timeout holds for each of about nine steps."""
    return max(timedelta(minutes=5), 12 * timedelta(seconds=settings.EMAIL_TIMEOUT))


def deliver(*, now: datetime) -> int:
    """Send one batch of what is due. How many rows were seen to; 0 when there is no more to do now.

    Safe to run any number of times at once. When the mail server does not
    answer, what is left of the batch goes back and 0 is returned.
    """
    claim = _claim(now)
    broken = 0
    with Post() as post:
        for done, key in enumerate(claim.keys):
            try:
                letter = _prepare(key, claim.token, now)
                if letter is None:
                    continue
                answer = post.send(letter)
            except (OperationalError, InterfaceError):
                raise  # without the database nothing can be recorded: the lease sees to the rest
            except Exception as error:
                # One mail that cannot be written stops no other.
                logger.exception("Notification %s could not be prepared", key)
                answer = Answer(reply=f"{type(error).__name__}: {error}")
            _record(key, claim.token, answer, now)
            broken = broken + 1 if answer.broken else 0
            if broken == SILENT_SERVER:
                _give_back(claim.keys[done + 1 :], claim.token)
                return 0
    return len(claim.keys)


@transaction.atomic
def _claim(now: datetime) -> Claim:
    """Take a batch, skipping what other workers are taking; committed before anything is sent."""
    rows: list[Notification] = []
    for queue in (Notification.objects.waiting(now), Notification.objects.abandoned()):
        if len(rows) < BATCH:
            rows += queue.select_for_update(skip_locked=True).only("pk", "attempts")[
                : BATCH - len(rows)
            ]
    worn_out = [row.pk for row in rows if row.attempts >= MOST_ATTEMPTS]
    if worn_out:
        Notification.objects.filter(pk__in=worn_out).update(
            status=Status.DEAD,
            lease_until=None,
            lease_token=None,
            last_error=f"Given up after {MOST_ATTEMPTS} attempts.",
        )
        Notification.objects.filter(pk__in=worn_out, content__isnull=False).update(content=b"")
    claim = Claim([row.pk for row in rows if row.attempts < MOST_ATTEMPTS], uuid4())
    if claim.keys:
        Notification.objects.filter(pk__in=claim.keys).update(
            status=Status.SENDING,
            lease_until=Now() + lease(),
            lease_token=claim.token,
            attempts=F("attempts") + 1,
        )
    return claim


@transaction.atomic
def _prepare(key: int, token: UUID, now: datetime) -> Letter | None:
    """Check a claimed row again, renew its lease and give the frozen mail, written on first use.

    None when it is no longer ours or no longer to be sent.
    """
    row = (
        Notification.objects.select_for_update(of=("self",))
        .select_related(
            "person",
            "contact",
            "invitation__organisation",
            "invitation__invited_by",
            "migration",
            "clock_run__plan_clock__version",
            "clock_run__migration__practice__organisation",
            "gate__plan_gate",
            "gate__migration__practice__organisation",
        )
        .filter(pk=key, lease_token=token)
        .first()
    )
    if row is None:
        return None
    to = row.person or row.contact or row.invitation
    email = to.email  # type: ignore[union-attr]  # the database holds that there is one
    # An address corrected between two attempts counts, and so does patient data hidden since: the
    # mail is written anew. What is counted before the words are read is hidden in them.
    reports = PatientDataReport.objects.count()
    stale = row.address != email or row.reports_known != reports
    words = dropped(row, now) or (words_of(row, now) if stale else None)
    if isinstance(words, Dropped):
        row.status, row.last_error = words.status, words.why
        row.lease_until = row.lease_token = None
        row.content = row.content and b""
        row.save(update_fields=["status", "last_error", "lease_until", "lease_token", "content"])
        return None
    if words is not None:
        row.address, row.reports_known = email, reports
        row.content = _written(row, words, now)
        row.save(update_fields=["address", "content", "reports_known"])
    Notification.objects.filter(pk=row.pk).update(lease_until=Now() + lease())
    return Letter(row.address, bytes(row.content or b""))


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
        },
    )
    mail.attach_alternative(render_to_string("reminders/mail.html", {"words": words}), "text/html")
    return mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own


def _record(key: int, token: UUID, answer: Answer, now: datetime) -> None:
    """Write down what became of an attempt, if the row is still ours."""
    row = Notification.objects.only("dedupe_key", "attempts", "first_failed_at").get(pk=key)
    became: dict[str, Any] = {"lease_until": None, "lease_token": None}
    if answer.accepted:
        became |= {"status": Status.SENT, "sent_at": now, "smtp_reply": answer.reply[:500]}
    else:
        first_failed_at = row.first_failed_at or now
        became |= {"last_error": answer.reply[:500], "first_failed_at": first_failed_at}
        if answer.for_good or is_given_up(first_failed_at, now):
            became["status"] = Status.DEAD
            logger.error("Notification %s is undeliverable: %s", row.dedupe_key, answer.reply)
        else:
            jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, keeps no secret
            became["status"] = Status.PENDING
            became["next_attempt_at"] = now + wait_before_retry(row.attempts, jitter)
    if became.get("status") in SETTLED:
        became["content"] = b""  # nobody reads it again, and it may say what must not be kept
    Notification.objects.filter(pk=key, lease_token=token).update(**became)


def _give_back(keys: list[int], token: UUID) -> None:
    """What was claimed and never tried waits as before."""
    Notification.objects.filter(pk__in=keys, lease_token=token).update(
        status=Status.PENDING, lease_until=None, lease_token=None, attempts=F("attempts") - 1
    )
