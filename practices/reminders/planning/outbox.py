"""How rows get into the outbox: each has a key of its own, and is added once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.crypto import salted_hmac

from practices.reminders.models import Heartbeat
from practices.reminders.wishes import Wishes
from practices.tracking.models import ClockRun

BATCH = 5000
# What a draft says, with the type of its column.
COLUMNS = {
    "kind": "text",
    "invitation_id": "bigint",
    "migration_id": "bigint",
    "clock_run_id": "bigint",
    "plan_reminder_id": "bigint",
    "gate_id": "bigint",
    "round": "smallint",
    "task_id": "bigint",
    "event_id": "bigint",
    "events": "bigint[]",
    "about_id": "bigint",
    "basis": "text",
    "headline": "text",
    "path": "text",
    "day": "date",
    "due_at": "timestamptz",
}
_KEY = "concat(subject, ':person-' || told.person_id, ':contact-' || told.contact_id)"
# The Message-ID is keyed, so that two installations never use one for two mails.
INSERT = f"""
INSERT INTO reminders_notification (dedupe_key, message_id, status, person_id, contact_id,
    {", ".join(COLUMNS)}, next_attempt_at, attempts, address, reports_known, smtp_reply, last_error)
SELECT {_KEY},
    concat('<', left(encode(sha256(convert_to(%s || {_KEY}, 'UTF8')), 'hex'), 32), '@', %s, '>'),
    told.status, told.person_id, told.contact_id, {", ".join(COLUMNS)}, due_at, 0, '', 0, '', ''
FROM json_to_recordset(%s)
        AS said (subject text, told json, {", ".join(map(" ".join, COLUMNS.items()))}),
    json_to_recordset(said.told) AS told (status text, person_id bigint, contact_id bigint)
ON CONFLICT DO NOTHING
"""  # noqa: S608 - the names are those above


def beat(**values: Any) -> None:
    """Write down how far the planner has come."""
    if not Heartbeat.objects.update(**values):
        Heartbeat.objects.bulk_create([Heartbeat(**values)], ignore_conflicts=True)


class To(NamedTuple):
    """Who is told: a person, a contact, or neither where an invitation names an address."""

    person_id: int | None = None
    contact_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is to be said, before it is in the outbox: there it is a row for each who is told.

    A sweep after an outage makes tens of thousands of rows, and a model instance of each takes
    longer than all the rest. ``subject`` is what it is about: with who is told, a row's key.
    """

    subject: str
    to: Sequence[To]
    due_at: datetime
    kind: str
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


def add(drafts: Iterable[Draft], now: datetime) -> None:
    """Add what is not there yet, each as its person wants to be told.

    ON CONFLICT DO NOTHING keeps every key single.
    """
    drafts = [draft for draft in drafts if draft.to]
    if not drafts:
        return
    wishes = Wishes({to.person_id for draft in drafts for to in draft.to if to.person_id}, now)
    for begin in range(0, len(drafts), BATCH):
        _insert([_as_json(draft, wishes) for draft in drafts[begin : begin + BATCH]])


def _as_json(draft: Draft, wishes: Wishes) -> dict[str, Any]:
    statuses = wishes.statuses(draft, [to.person_id for to in draft.to])
    told = [
        {"status": status, "person_id": to.person_id, "contact_id": to.contact_id}
        for to, status in zip(draft.to, statuses, strict=True)
    ]
    return {
        "subject": draft.subject,
        "told": told,
        **{name: given for name in COLUMNS if (given := getattr(draft, name)) is not None},
    }


def _insert(said: list[dict[str, Any]]) -> None:
    """All in one text, read by the database.

    A placeholder for each value of each row, as the ORM writes it, takes several times as long
    as the database needs for the rows.
    """
    key = salted_hmac("practices.reminders", "", algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        domain = _domain(settings.DEFAULT_FROM_EMAIL)
        cursor.execute(INSERT, [key, domain, json.dumps(said, default=str)])


@cache
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]


def page(name: str, *arguments: str) -> str:
    """The page of this site that a row leads to."""
    address, places = _address(name, len(arguments))
    for place, argument in zip(places, arguments, strict=True):
        address = address.replace(place, argument)
    return address


@cache
def _address(name: str, arguments: int) -> tuple[str, list[str]]:
    """An address with places for its codes: to look each one up takes longer than to plan it."""
    places = [f"-place{number}-" for number in range(arguments)]
    return reverse(name, args=places), places
