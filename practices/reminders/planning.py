"""The planner: compares what should have been said by now with what was, and adds what is missing.

It is level-triggered: run never, twice or twenty times at once, the outbox ends
up with the same rows, because each has a unique key and is only added once.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils.crypto import salted_hmac

from practices.accounts.models import Invitation
from practices.common.calendar import working_calendar
from practices.tracking.models import ClockRun, Contact, Gate, Migration, SignOff
from practices.tracking.team import Audience, audience

from .models import Heartbeat, Notification
from .queries import people_with_overdue_tasks
from .rules import newest_due, overdue_day

logger = logging.getLogger(__name__)
Kind = Notification.Kind
Status = Notification.Status
BATCH = 1000
CONFIRM_WITHIN = timedelta(days=30)


def plan_due(*, now: datetime) -> None:
    """Add to the outbox everything that should have been said by ``now`` and is not there yet.

    Nothing is added before it is due. A part that fails is logged and does not
    stop the others; the heartbeat then stays where it was, for the health check.
    """
    failed = False
    for part in (_clock_warnings, _confirmations, _withdrawals, _overdue_tasks, _invitations):
        try:
            part(now)
        except Exception:
            logger.exception("Planning of %s failed", part.__name__.strip("_").replace("_", " "))
            failed = True
    if not failed:
        _beat(swept_at=now)


def _beat(**values: Any) -> None:
    if not Heartbeat.objects.update(**values):
        Heartbeat.objects.bulk_create([Heartbeat(**values)], ignore_conflicts=True)


def _add(rows: Iterable[Notification]) -> None:
    """Add what is not there yet; ON CONFLICT DO NOTHING keeps every key single."""
    Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)


def _clock_warnings(now: datetime) -> None:
    """The newest due warning of each running clock, unless it or a later one was planned already.

    It goes to those who hold the roles the plan tells at this moment; who joins
    later is told the next one. The start of the next attempt counts anew.
    """
    runs = (
        ClockRun.objects.running()
        .filter(migration__state__in=Migration.ACTIVE_STATES)
        .annotate(warned_to=Max("notifications__due_at"))
    )
    is_working = working_calendar().is_working
    due = {
        run.pk: (run, warn)
        for run in runs
        if (warn := newest_due(run, now, is_working))
        and (run.warned_to is None or warn.due_at > run.warned_to)
    }
    if not due:
        return
    reach = _Reach({run.migration_id for run, _ in due.values()}, now=now)
    _add(
        _new(f"clock:{run.pk}:{warn.key}", warn.due_at, kind=Kind.CLOCK, clock_run=run, **to)
        for run, warn in due.values()
        for to in reach.of(run.migration_id, run.plan_clock.tell)
    )


def _overdue_tasks(now: datetime) -> None:
    """One mail a day for everybody with overdue tasks; what it says is found when it is sent."""
    if (morning := overdue_day(now)) is None:
        return
    day, due_at = morning
    if Heartbeat.objects.filter(overdue_told_on=day).exists():
        return
    _add(
        _new(f"overdue:{day}", due_at, kind=Kind.OVERDUE, day=day, person_id=person)
        for person in people_with_overdue_tasks(now)
    )
    _beat(overdue_told_on=day)


def _spoken_about(now: datetime) -> Q:
    """Gates of active migrations, and of those finished within the day.

    The last gate is often signed in the minute before the migration is closed.
    """
    return Q(migration__state__in=Migration.ACTIVE_STATES) | Q(
        migration__state=Migration.State.FINISHED,
        migration__ended_at__gt=now - timedelta(days=1),
    )


def _confirmations(now: datetime) -> None:
    """Each signed round of a gate whose plan names somebody to confirm it to.

    A contact who is named later is told within the month, then no more. What was
    refused goes out again once the contact's address is corrected, and only then,
    whatever became of the mails to others.
    """
    recent = SignOff.objects.filter(
        gate=OuterRef("pk"), round=OuterRef("round"), at__gt=now - CONFIRM_WITHIN
    )
    said = Notification.objects.filter(kind=Kind.SIGNED).exclude(
        status__in=(Status.DEAD, Status.CANCELLED)
    )
    said_of = said.filter(gate=OuterRef("pk"), round=OuterRef("round"))
    said_to = said.filter(
        gate=OuterRef(OuterRef("pk")), round=OuterRef(OuterRef("round")), contact=OuterRef("pk")
    )
    untold = Contact.objects.filter(
        ~Exists(said_to),
        migration=OuterRef("migration"),
        role=OuterRef("plan_gate__confirm_to"),
        removed_at=None,
    ).exclude(email="")
    gates = list(
        Gate.objects.filter(
            _spoken_about(now),
            Exists(recent),
            ~Exists(said_of) | Exists(untold),
            state=Gate.State.SIGNED,
        )
        .exclude(plan_gate__confirm_to="")
        .select_related("plan_gate")
    )
    if not gates:
        return
    told = set(said.filter(gate__in=gates).values_list("gate", "round", "contact"))
    begun = {(gate, number) for gate, number, _ in told}
    reach = _Reach({gate.migration_id for gate in gates}, now=now, contacts_first=True)
    _add(
        _new(
            f"signed:{gate.pk}:{gate.round}{reach.address_mark(to)}",
            now,
            kind=Kind.SIGNED,
            gate=gate,
            round=gate.round,
            **to,
        )
        for gate in gates
        for to in reach.of(gate.migration_id, [gate.plan_gate.confirm_to])
        if (gate.pk, gate.round) not in begun
        or ("contact_id" in to and (gate.pk, gate.round, to["contact_id"]) not in told)
    )


def _withdrawals(now: datetime) -> None:
    """Each round that is over, to whoever may have received its confirmation."""
    said = Notification.objects.filter(
        Q(person=OuterRef("person")) | Q(contact=OuterRef("contact")),
        kind=Kind.WITHDRAWN,
        gate=OuterRef("gate"),
        round=OuterRef("round"),
    )
    confirmed = (
        Notification.objects.perhaps_received()
        .filter(_spoken_about(now), ~Exists(said), kind=Kind.SIGNED, gate__round__gt=F("round"))
        .values("gate_id", "round", "migration_id", "person_id", "contact_id")
    )
    _add(
        _new(f"withdrawn:{row['gate_id']}:{row['round']}", now, kind=Kind.WITHDRAWN, **row)
        for row in confirmed
    )


def _invitations(now: datetime) -> None:
    """The present mail of each open invitation; asking for it again makes another one."""
    said = Notification.objects.filter(
        invitation=OuterRef("pk"), due_at__gte=OuterRef("mail_asked_at")
    )
    _add(
        _new(
            f"invitation:{invitation.pk}:{invitation.nonce}",
            invitation.mail_asked_at,
            kind=Kind.INVITATION,
            invitation=invitation,
        )
        for invitation in Invitation.objects.open(now).filter(~Exists(said))
    )


class _Reach:
    """Who is reached by an owner key in each of some migrations; a handful of queries for all.

    People who hold the role, or the contact of that role with an e-mail address
    where nobody does; with ``contacts_first`` the other way round, because a
    confirmation is addressed to the named contact (guide.md C).
    """

    def __init__(
        self, migrations: Iterable[int], *, now: datetime, contacts_first: bool = False
    ) -> None:
        rows = Migration.objects.filter(pk__in=migrations).with_people()
        self.people: Audience = audience(rows, now=now)
        self.contacts: dict[tuple[int, str], set[int]] = {}
        self.emails: dict[int, str] = {}
        for pk, migration, role, email in (
            Contact.objects.filter(migration__in=rows, removed_at=None)
            .exclude(email="")
            .values_list("pk", "migration", "role", "email")
        ):
            self.emails[pk] = email
            self.contacts.setdefault((migration, role), set()).add(pk)
        self.contacts_first = contacts_first

    def address_mark(self, to: dict[str, Any]) -> str:
        """Tells a contact's addresses apart in a key, without saying them."""
        if (email := self.emails.get(to.get("contact_id", 0))) is None:
            return ""
        mark = salted_hmac("practices.reminders.address", email, algorithm="sha256")
        return f":{mark.hexdigest()[:12]}"

    def of(self, migration: int, owners: Iterable[str]) -> list[dict[str, Any]]:
        """Recipients, each once, as fields of a notification."""
        people: set[int] = set()
        contacts: set[int] = set()
        for owner in owners:
            held = self.people.get((migration, owner), set())
            named = self.contacts.get((migration, owner), set())
            if self.contacts_first:
                held = set() if named else held
            elif held:
                named = set()
            people |= held
            contacts |= named
        return [{"migration_id": migration, "person_id": pk} for pk in sorted(people)] + [
            {"migration_id": migration, "contact_id": pk} for pk in sorted(contacts)
        ]


def _new(subject: str, due_at: datetime, **fields: Any) -> Notification:
    to = [
        f":{who}-{fields[f'{who}_id']}" for who in ("person", "contact") if fields.get(f"{who}_id")
    ]
    key = subject + "".join(to)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    # Keyed, so that two installations never use one id for two mails.
    digest = salted_hmac("practices.reminders", key, algorithm="sha256").hexdigest()[:32]
    return Notification(
        dedupe_key=key,
        message_id=f"<{digest}@{domain}>",
        due_at=due_at,
        next_attempt_at=due_at,
        **fields,
    )
