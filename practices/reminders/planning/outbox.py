"""How rows get into the outbox: each has a key of its own, and is added once."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import parseaddr
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from practices.reminders.models import Heartbeat, Notification
from practices.reminders.wishes import Wishes

BATCH = 1000


def beat(**values: Any) -> None:
    """Write down how far the planner has come."""
    if not Heartbeat.objects.update(**values):
        Heartbeat.objects.bulk_create([Heartbeat(**values)], ignore_conflicts=True)


def add(rows: Iterable[Notification], now: datetime) -> None:
    """Add what is not there yet, each as its person wants to be told.

    ON CONFLICT DO NOTHING keeps every key single.
    """
    rows = list(rows)
    if not rows:
        return
    wishes = Wishes({row.person_id for row in rows if row.person_id}, now)
    for row in rows:
        row.status = wishes.status(row)
    Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)


def new(subject: str, due_at: datetime, **fields: Any) -> Notification:
    """A row that is not in the outbox yet; its key is what it is about and who is told."""
    to = [
        f":{who}-{fields[f'{who}_id']}" for who in ("person", "contact") if fields.get(f"{who}_id")
    ]
    key = subject + "".join(to)
    domain = _domain(settings.DEFAULT_FROM_EMAIL)
    # Keyed, so that two installations never use one id for two mails.
    digest = salted_hmac("practices.reminders", key, algorithm="sha256").hexdigest()[:32]
    return Notification(
        dedupe_key=key,
        message_id=f"<{digest}@{domain}>",
        due_at=due_at,
        next_attempt_at=due_at,
        **fields,
    )


@cache
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]


def page(name: str, *arguments: str) -> str:
    """The page of this site that a row leads to."""
    return reverse(name, args=arguments)
