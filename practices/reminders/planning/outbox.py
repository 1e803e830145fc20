"""How rows get into the outbox: each has a key of its own, and is added once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from functools import cache
from hmac import HMAC
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.crypto import salted_hmac

from practices.reminders.models import Heartbeat
from practices.reminders.wishes import Wishes
from practices.tracking.models import ClockRun

BATCH = 5000
# What may differ between rows that are new, with the type of its column.
COLUMNS = {
    "dedupe_key": "text",
    "message_id": "text",
    "kind": "text",
    "status": "text",
    "person_id": "bigint",
    "contact_id": "bigint",
    "invitation_id": "bigint",
    "migration_id": "bigint",
    "clock_run_id": "bigint",
    "plan_reminder_id": "bigint",
    "gate_id": "bigint",
    "round": "smallint",
    "task_id": "bigint",
    "event_id": "bigint",
    "about_id": "bigint",
    "basis": "text",
    "headline": "text",
    "path": "text",
    "day": "date",
    "due_at": "timestamptz",
}
INSERT = f"""
INSERT INTO reminders_notification ({", ".join(COLUMNS)}, events, next_attempt_at,
    attempts, address, reports_known, smtp_reply, last_error)
SELECT {", ".join(COLUMNS)}, events::bigint[], due_at, 0, '', 0, '', ''
FROM unnest({", ".join(f"%s::{kind}[]" for kind in COLUMNS.values())}, %s::text[])
    AS new ({", ".join(COLUMNS)}, events)
ON CONFLICT DO NOTHING
"""  # noqa: S608 - the names are those above


def beat(**values: Any) -> None:
    """Write down how far the planner has come."""
    if not Heartbeat.objects.update(**values):
        Heartbeat.objects.bulk_create([Heartbeat(**values)], ignore_conflicts=True)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A row that is not in the outbox yet: of a Notification, what planning decides.

    A sweep after an outage makes tens of thousands, and a model instance of each takes longer
    than all the rest.
    """

    dedupe_key: str
    message_id: str
    due_at: datetime
    kind: str
    status: str = ""
    person_id: int | None = None
    contact_id: int | None = None
    invitation_id: int | None = None
    migration_id: int | None = None
    clock_run: ClockRun | None = None
    plan_reminder_id: int | None = None
    gate_id: int | None = None
    round: int | None = None
    task_id: int | None = None
    event_id: int | None = None
    events: Sequence[int] = ()
    about_id: int | None = None
    basis: str = ""
    headline: str = ""
    path: str = ""
    day: date | None = None

    @property
    def clock_run_id(self) -> int | None:
        return self.clock_run.pk if self.clock_run else None


def add(rows: Iterable[Draft], now: datetime) -> None:
    """Add what is not there yet, each as its person wants to be told.

    ON CONFLICT DO NOTHING keeps every key single.
    """
    rows = list(rows)
    if not rows:
        return
    wishes = Wishes({row.person_id for row in rows if row.person_id}, now)
    for row in rows:
        row.status = wishes.status(row)
    for begin in range(0, len(rows), BATCH):
        _insert(rows[begin : begin + BATCH])


def _insert(rows: list[Draft]) -> None:
    """What rows differ in, as one array a column.

    A placeholder for each value of each row, as the ORM writes it, takes several times as long
    as the database needs for the rows.
    """
    columns: list[list[Any]] = [[getattr(row, name) for row in rows] for name in COLUMNS]
    columns.append([f"{{{','.join(map(str, row.events))}}}" for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(INSERT, columns)


def new(subject: str, due_at: datetime, **fields: Any) -> Draft:
    """A row that is not in the outbox yet; its key is what it is about and who is told."""
    to = [
        f":{who}-{fields[f'{who}_id']}" for who in ("person", "contact") if fields.get(f"{who}_id")
    ]
    key = subject + "".join(to)
    domain = _domain(settings.DEFAULT_FROM_EMAIL)
    # Keyed, so that two installations never use one id for two mails.
    digest = _keyed(settings.SECRET_KEY).copy()
    digest.update(key.encode())
    message_id = f"<{digest.hexdigest()[:32]}@{domain}>"
    return Draft(dedupe_key=key, message_id=message_id, due_at=due_at, **fields)


@cache
def _keyed(secret: str) -> HMAC:
    """To make the key anew for every row takes longer than to use it."""
    return salted_hmac("practices.reminders", "", secret=secret, algorithm="sha256")


@cache
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]


def page(name: str, *arguments: str) -> str:
    """The page of this site that a row leads to."""
    return reverse(name, args=arguments)
