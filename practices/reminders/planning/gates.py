"""Sign-offs given and withdrawn, to those whom the plan confirms them to."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from practices.common.prepared import Instant, prepared
from practices.reminders import headlines
from practices.reminders.models import Notification, NotificationQuerySet
from practices.tracking.models import Contact, Gate, Migration, SignOff

from .outbox import Draft, To, add, page
from .reach import Reach

Kind = Notification.Kind
Status = Notification.Status
CONFIRM_WITHIN = timedelta(days=30)


def spoken_about(now: Instant, of: str = "migration__") -> Q:
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
    if not (found := _to_confirm(now=now)):
        return
    gates = list(Gate.objects.filter(pk__in=found).select_related("plan_gate"))
    told = set(_said().filter(gate__in=gates).values_list("gate", "round", "contact"))
    begun = {(gate, number) for gate, number, _ in told}
    reach = Reach({gate.migration_id for gate in gates}, now=now, contacts_first=True)
    drafts = (
        Draft(
            subject=f"signed:{gate.pk}:{gate.round}{reach.address_mark(to)}",
            to=[to],
            due_at=now,
            kind=Kind.SIGNED,
            migration_id=gate.migration_id,
            gate_id=gate.pk,
            round=gate.round,
            headline=headlines.of_gate(Kind.SIGNED, gate),
            path=page("tracking:gate", reach.references[gate.migration_id], gate.key),
        )
        for gate in gates
        for to in reach.of(gate.migration_id, [gate.plan_gate.confirm_to])
        if (gate.pk, gate.round) not in begun
        or (to.contact_id and (gate.pk, gate.round, to.contact_id) not in told)
    )
    add(drafts, now)


def _said() -> NotificationQuerySet:
    """Confirmations that were planned, and not refused."""
    return Notification.objects.filter(kind=Kind.SIGNED, event=None).exclude(
        status__in=(Status.DEAD, Status.CANCELLED)
    )


@prepared
def _to_confirm(now: Instant) -> QuerySet[Gate]:
    recent = SignOff.objects.filter(
        gate=OuterRef("pk"), round=OuterRef("round"), at__gt=now - CONFIRM_WITHIN
    )
    said_of = _said().filter(gate=OuterRef("pk"), round=OuterRef("round"))
    said_to = _said().filter(
        gate=OuterRef(OuterRef("pk")), round=OuterRef(OuterRef("round")), contact=OuterRef("pk")
    )
    untold = Contact.objects.filter(
        ~Exists(said_to),
        migration=OuterRef("migration"),
        role=OuterRef("plan_gate__confirm_to"),
        removed_at=None,
    ).exclude(email="")
    return Gate.objects.filter(
        spoken_about(now),
        Exists(recent),
        ~Exists(said_of) | Exists(untold),
        state=Gate.State.SIGNED,
    ).exclude(plan_gate__confirm_to="")


def withdrawals(now: datetime) -> None:
    """Each round that is over, to whoever may have received its confirmation."""
    if not (found := _to_withdraw(now=now)):
        return
    confirmed = Notification.objects.filter(pk__in=found).select_related("gate__plan_gate")
    drafts = (
        Draft(
            subject=f"withdrawn:{row.gate_id}:{row.round}",
            to=[To(row.person_id, row.contact_id)],
            due_at=now,
            kind=Kind.WITHDRAWN,
            migration_id=row.migration_id,
            gate_id=row.gate_id,
            round=row.round,
            headline=headlines.of_gate(Kind.WITHDRAWN, row.gate),
            path=row.path,
        )
        for row in confirmed
        if row.gate
    )
    add(drafts, now)


@prepared
def _to_withdraw(now: Instant) -> NotificationQuerySet:
    said = Notification.objects.filter(
        Q(person=OuterRef("person")) | Q(contact=OuterRef("contact")),
        kind=Kind.WITHDRAWN,
        gate=OuterRef("gate"),
        round=OuterRef("round"),
    )
    return Notification.objects.perhaps_received().filter(
        spoken_about(now),
        ~Exists(said),
        kind=Kind.SIGNED,
        event=None,
        gate__round__gt=F("round"),
    )
