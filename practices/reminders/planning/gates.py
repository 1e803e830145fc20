"""Sign-offs given and withdrawn, to those whom the plan confirms them to."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from practices.reminders import headlines
from practices.reminders.models import Notification
from practices.tracking.models import Contact, Gate, Migration, SignOff

from .outbox import add, new, page
from .reach import Reach

Kind = Notification.Kind
Status = Notification.Status
CONFIRM_WITHIN = timedelta(days=30)


def spoken_about(now: datetime, of: str = "migration__") -> Q:
    """Active migrations, and those finished within the day; ``of`` leads to the migration.

    The last gate is often signed in the minute before the migration is closed.
    """
    finished = {
        f"{of}state": Migration.State.FINISHED,
        f"{of}ended_at__gt": now - timedelta(days=1),
    }
    return Q(**{f"{of}state__in": Migration.ACTIVE_STATES}) | Q(**finished)


def confirmations(now: datetime) -> None:
    """Each signed round of a gate whose plan names somebody to confirm it to.

    A contact who is named later is told within the month, then no more. What was
    refused goes out again once the contact's address is corrected, and only then,
    whatever became of the mails to others.
    """
    recent = SignOff.objects.filter(
        gate=OuterRef("pk"), round=OuterRef("round"), at__gt=now - CONFIRM_WITHIN
    )
    said = Notification.objects.filter(kind=Kind.SIGNED, event=None).exclude(
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
            spoken_about(now),
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
    reach = Reach({gate.migration_id for gate in gates}, now=now, contacts_first=True)
    rows = (
        new(
            f"signed:{gate.pk}:{gate.round}{reach.address_mark(to)}",
            now,
            kind=Kind.SIGNED,
            gate_id=gate.pk,
            round=gate.round,
            headline=headlines.of_gate(Kind.SIGNED, gate),
            path=page("tracking:gate", reach.migrations[gate.migration_id].reference, gate.key),
            **to,
        )
        for gate in gates
        for to in reach.of(gate.migration_id, [gate.plan_gate.confirm_to])
        if (gate.pk, gate.round) not in begun
        or ("contact_id" in to and (gate.pk, gate.round, to["contact_id"]) not in told)
    )
    add(rows, now)


def withdrawals(now: datetime) -> None:
    """Each round that is over, to whoever may have received its confirmation."""
    said = Notification.objects.filter(
        Q(person=OuterRef("person")) | Q(contact=OuterRef("contact")),
        kind=Kind.WITHDRAWN,
        gate=OuterRef("gate"),
        round=OuterRef("round"),
    )
    confirmed = (
        Notification.objects.perhaps_received()
        .filter(
            spoken_about(now),
            ~Exists(said),
            kind=Kind.SIGNED,
            event=None,
            gate__round__gt=F("round"),
        )
        .select_related("gate__plan_gate")
    )
    rows = (
        new(
            f"withdrawn:{row.gate_id}:{row.round}",
            now,
            kind=Kind.WITHDRAWN,
            gate_id=row.gate_id,
            round=row.round,
            headline=headlines.of_gate(Kind.WITHDRAWN, row.gate),
            path=row.path,
            migration_id=row.migration_id,
            person_id=row.person_id,
            contact_id=row.contact_id,
        )
        for row in confirmed
        if row.gate
    )
    add(rows, now)
