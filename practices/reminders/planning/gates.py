"""Sign-offs given and withdrawn."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from practices.reminders.models import Notification
from practices.tracking.models import Contact, Gate, Migration, SignOff

from .outbox import add, new
from .reach import Reach

Kind = Notification.Kind
Status = Notification.Status
CONFIRM_WITHIN = timedelta(days=30)


def _spoken_about(now: datetime) -> Q:
    """Gates of active migrations, and of those finished within the day.

    The last gate is often signed in the minute before the migration is closed.
    """
    return Q(migration__state__in=Migration.ACTIVE_STATES) | Q(
        migration__state=Migration.State.FINISHED,
        migration__ended_at__gt=now - timedelta(days=1),
    )


def confirmations(now: datetime) -> None:
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
    reach = Reach({gate.migration_id for gate in gates}, now=now, contacts_first=True)
    add(
        new(
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
        .filter(_spoken_about(now), ~Exists(said), kind=Kind.SIGNED, gate__round__gt=F("round"))
        .values("gate_id", "round", "migration_id", "person_id", "contact_id")
    )
    add(
        new(f"withdrawn:{row['gate_id']}:{row['round']}", now, kind=Kind.WITHDRAWN, **row)
        for row in confirmed
    )
