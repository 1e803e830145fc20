"""Signing, withdrawing, and recording that a step went ahead without its signature."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Conflict, Refused
from practices.common.models import Event, Text, sha256
from practices.common.services import canonical, clean_text, text_reference, write_text
from practices.common.templatetags.uk import uk_datetime
from practices.plans.models import PlanSeat
from practices.tracking.models import (
    Bypass,
    BypassConfirmation,
    Gate,
    GateCondition,
    KeyDate,
    Migration,
    SignOff,
    Task,
    Withdrawal,
)
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import same_name

from . import clocks
from ._base import lock, newest_act, note_event, require_reason, settle

CONDITION = "condition:"


class SeatTaken(Refused):
    """Somebody else has signed this seat."""

    def __init__(self, signature: SignOff) -> None:
        super().__init__(f"{signature.by} has already signed this, on {uk_datetime(signature.at)}.")


class Stale(Conflict):
    """What a signature would speak for is not what the signer read."""

    def __init__(self, migration: Migration) -> None:
        super().__init__(
            "What is still open has changed since you looked, last by "
            f"{newest_act(migration)}. Read it again, then sign."
        )


@dataclass(frozen=True)
class StillOpen:
    """Something a signature would speak for that is not finished.

    ``waiting_for`` is why it is blocked, in the words of whoever said so.
    """

    key: str
    title: str
    mandatory: bool
    waiting_for: str = ""

    @property
    def code(self) -> str:
        """The task's code; nothing for what another room reports."""
        return "" if self.key.startswith(CONDITION) else self.key

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return self.code or f"“{self.title}”"

    @property
    def label(self) -> str:
        return f"{self.code} {self.title}".strip()


def covered_tasks(gate: Gate) -> TaskQuerySet:
    """The tasks a gate's signature speaks for, in plan order.

    Tasks added to this migration count with the phase they were added to, when
    they are due before what the gate blocks (decision 7).
    """
    blocked = KeyDate.objects.filter(
        migration=OuterRef("migration"), key__in=gate.plan_gate.blocks
    ).order_by("planned_at")
    added = Q(plan_task=None, phase__key__in=gate.plan_gate.cover_phases) & ~Q(
        due_at__gte=Subquery(blocked.values("planned_at")[:1])
    )
    return (
        Task.objects.filter(
            Q(plan_task__covered_by=gate.plan_gate) | added, migration=gate.migration
        )
        .with_people()
        .in_plan_order()
    )


def still_open(gate: Gate) -> list[StillOpen]:
    """What is not finished of what a gate covers, unmet conditions of other rooms included."""
    tasks = [
        StillOpen(
            task.code,
            task.title,
            task.mandatory,
            waiting_for=str(task.reason) if task.state == Task.State.BLOCKED else "",
        )
        for task in covered_tasks(gate).open()
    ]
    conditions = [
        StillOpen(f"{CONDITION}{condition.source}", condition.summary, True)
        for condition in gate.conditions.filter(met=False).order_by("source")
    ]
    return tasks + conditions


def seen_mark(gate: Gate, items: list[StillOpen]) -> str:
    """A mark of what a signer was shown, sent back with the signature."""
    return sha256(canonical({"round": gate.round, "open": [item.key for item in items]}))[:16]


def free_seats(gate: Gate) -> list[PlanSeat]:
    """Seats nobody has signed in this round."""
    taken = gate.sign_offs.filter(round=gate.round).values("seat")
    return list(gate.plan_gate.seats.exclude(pk__in=taken))


def seats_for(gate: Gate, user: User) -> list[PlanSeat]:
    """The free seats this person may sign, given their roles here and what they signed already.

    What went ahead without its sign-off can still be signed afterwards.
    """
    if gate.state == Gate.State.SIGNED or not gate.migration.allows(user, Permission.SIGN):
        return []
    signed_here = gate.sign_offs.filter(round=gate.round, by=user).exists()
    if signed_here and gate.plan_gate.different_people:
        return []
    roles = gate.migration.roles_of(user)
    return [seat for seat in free_seats(gate) if roles & set(seat.roles)]


def signing_as(migration: Migration, seat: PlanSeat, user: User) -> tuple[str, int | None]:
    """The role a person fills a seat with, and for whom when they are a deputy.

    What they hold by their own right comes first.
    """
    absent, role = min(
        (membership.deputy_for_id or 0, owner)
        for membership, owner in migration.memberships_of(user)
        if owner in seat.roles
    )
    return role, absent or None


@transaction.atomic
def sign_off(
    *,
    gate: Gate,
    seat: PlanSeat,
    name: str,
    seen: str,
    exceptions: dict[str, str],
    by: User,
    at: datetime,
) -> SignOff:
    """Sign one seat of a gate; the last seat opens it.

    ``name`` is typed by the signer and must be their own; ``seen`` is the mark
    of what was still open when they looked; ``exceptions`` gives a reason for
    each mandatory thing still open. Doing the task that signs this seat and
    signing it are one act. Source: guide.md C.

    Signing again what they have signed changes nothing. Raises :class:`Conflict`
    when what is open has changed, :class:`SeatTaken` when somebody else was first,
    :class:`Refused` when the signer may not fill the seat or a reason is missing.
    """
    migration = lock(gate.migration)
    gate = _fresh(gate, migration)
    taken = gate.sign_offs.filter(round=gate.round, seat=seat).select_related("by").first()
    if taken and taken.by_id == by.pk:
        return taken
    if taken:
        raise SeatTaken(taken)
    if seat not in seats_for(gate, by):
        raise Refused("This signature belongs to somebody else: your role does not fill this seat.")
    for blocker in blocking(migration, f"gate:{gate.key}"):
        raise Refused(f"“{blocker.title}” has to be signed first.")
    if not same_name(name, by.name):
        raise Refused(f"Type your full name as it is in your account: {by.name}.")
    items = still_open(gate)
    if seen != seen_mark(gate, items):
        raise Stale(migration)
    reasons = {item.key: clean_text(exceptions.get(item.key, "")) for item in items}
    for item in items:
        if item.mandatory and not reasons[item.key]:
            raise Refused(f"Enter a reason for signing while “{item.title}” is still open.")
    # The same reason for many things is one text.
    texts = {
        body: write_text(body=body, by=by, at=at)
        for body in dict.fromkeys(reasons.values())
        if body
    }
    accepted = {key: texts[body] for key, body in reasons.items() if body}
    role, absent = signing_as(migration, seat, by)
    snapshot = _snapshot(
        migration, gate, seat, accepted, by=by, role=role, deputy_for=absent, at=at
    )
    signature = SignOff.objects.create(
        gate=gate,
        round=gate.round,
        seat=seat,
        by=by,
        role=role,
        deputy_for_id=absent,
        at=at,
        snapshot=snapshot,
        digest=sha256(canonical(snapshot)),
    )
    note_event(
        migration,
        "gate.signed",
        by=by,
        at=at,
        subject=f"gate:{gate.key}",
        seat=seat.key,
        round=gate.round,
        digest=signature.digest,
        exceptions=sorted(accepted),
        role=role,
        deputy_for=absent,
    )
    if not free_seats(gate):
        gate.state = Gate.State.SIGNED
        gate.save(update_fields=["state"])
        note_event(migration, "gate.opened", by=by, at=at, subject=f"gate:{gate.key}")
    _do_seat_task(migration, seat, by=by, at=at)
    return signature


def _fresh(gate: Gate, migration: Migration) -> Gate:
    fresh = Gate.objects.select_for_update(of=("self",)).select_related("plan_gate").get(pk=gate.pk)
    fresh.migration = migration
    return fresh


def _do_seat_task(migration: Migration, seat: PlanSeat, *, by: User, at: datetime) -> None:
    task = migration.tasks.filter(plan_task__signs=seat).first()
    if task and task.state != Task.State.DONE:
        settle(migration, task, Task.State.DONE, by=by, at=at, kind="task.done")
        clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)


def _snapshot(
    migration: Migration,
    gate: Gate,
    seat: PlanSeat,
    accepted: dict[str, Text],
    *,
    by: User,
    role: str,
    deputy_for: int | None,
    at: datetime,
) -> dict[str, object]:
    """What the signer saw and said, as plain JSON; people by id, texts by digest (decision 2)."""
    newest = Event.objects.of(migration.stream).order_by("-seq").first()
    return {
        "migration": migration.reference,
        "plan": {
            "slug": migration.plan_version.plan.slug,
            "version": migration.plan_version.number,
            "digest": migration.plan_version.digest,
        },
        "gate": gate.key,
        "round": gate.round,
        "seat": seat.key,
        "statement": gate.plan_gate.statement,
        "signed_by": by.pk,
        "signed_as": role,
        "deputy_for": deputy_for,
        "signed_at": at.astimezone(UTC).isoformat(),
        "covers": [
            {
                "code": task.code,
                "state": task.state,
                "settled_by": task.settled_by_id,
                "settled_at": task.settled_at.astimezone(UTC).isoformat()
                if task.settled_at
                else None,
                "reason": text_reference(task.reason),
            }
            for task in covered_tasks(gate)
        ],
        "conditions": [
            {"source": condition.source, "met": condition.met, "summary": condition.summary}
            for condition in gate.conditions.order_by("source")
        ],
        "exceptions": {key: text_reference(text) for key, text in sorted(accepted.items())},
        "events": {"seq": newest.seq, "hash": newest.hash} if newest else None,
    }


@transaction.atomic
def withdraw_sign_off(
    *, gate: Gate, reason: str, by: User, at: datetime, seen_round: int | None = None
) -> Withdrawal:
    """Take a gate's signatures back: the gate waits again, nothing is deleted.

    Raises :class:`Conflict` when another round than ``seen_round`` is under way.
    """
    require_reason(reason, "withdrawing the sign-off")
    migration = lock(gate.migration)
    gate = _fresh(gate, migration)
    if seen_round not in (None, gate.round):
        raise Conflict("It was withdrawn and begun again while you looked. Check it, then decide.")
    why = write_text(body=reason, by=by, at=at)
    return end_round(migration, gate, by=by, at=at, reason=why)


def may_withdraw(gate: Gate, user: User) -> bool:
    """Whoever could fill one of the gate's seats may take its signatures back."""
    roles = {role for seat in gate.plan_gate.seats.all() for role in seat.roles}
    return gate.migration.allows(user, Permission.SIGN) and bool(
        gate.migration.roles_of(user) & roles
    )


def round_has_begun(gate: Gate) -> bool:
    """Whether anybody signed in the present round, or recorded going ahead without."""
    return (
        gate.sign_offs.filter(round=gate.round).exists()
        or gate.bypasses.filter(round=gate.round).exists()
    )


def end_round(
    migration: Migration, gate: Gate, *, by: User, at: datetime, reason: Text
) -> Withdrawal:
    """Close the present round of a locked gate and reopen the tasks that signed it."""
    if not round_has_begun(gate):
        raise Refused("There is no signature to withdraw.")
    withdrawal = Withdrawal.objects.create(gate=gate, round=gate.round, by=by, at=at, reason=reason)
    ended, gate.round, gate.state = gate.round, gate.round + 1, Gate.State.WAITING
    gate.save(update_fields=["round", "state"])
    note_event(
        migration,
        "gate.withdrawn",
        by=by,
        at=at,
        subject=f"gate:{gate.key}",
        round=ended,
        reason=reason,
    )
    for task in migration.tasks.filter(
        plan_task__signs__gate=gate.plan_gate, state=Task.State.DONE
    ):
        settle(migration, task, Task.State.OPEN, by=by, at=at, reason=reason, kind="task.reopened")
        clocks.follow_facts(migration, f"task:{task.code}", by=by, at=at)
    return withdrawal


@transaction.atomic
def record_bypass(*, gate: Gate, reason: str, by: User, at: datetime) -> Bypass:
    """Record that a step happens without its sign-off; it waits for a second person."""
    require_reason(reason, "going ahead without the sign-off")
    migration = lock(gate.migration)
    gate = _fresh(gate, migration)
    if not gate.plan_gate.blocks:
        raise Refused("This sign-off holds nothing up, so everything can go ahead.")
    if gate.is_open:
        raise Refused("This sign-off is not waiting any more.")
    if gate.bypasses.filter(round=gate.round).exists():
        raise Refused("This is already recorded, and waits to be confirmed by a second person.")
    why = write_text(body=reason, by=by, at=at)
    bypass = Bypass.objects.create(gate=gate, round=gate.round, by=by, at=at, reason=why)
    note_event(
        migration, "gate.bypass_recorded", by=by, at=at, subject=f"gate:{gate.key}", reason=why
    )
    return bypass


@transaction.atomic
def confirm_bypass(*, bypass: Bypass, by: User, at: datetime) -> BypassConfirmation:
    """The second person confirms; the gate no longer holds anything up."""
    migration = lock(bypass.gate.migration)
    gate = _fresh(bypass.gate, migration)
    if bypass.by_id == by.pk:
        raise Refused("A second person has to confirm: you recorded it yourself.")
    if gate.is_open or bypass.round != gate.round:
        raise Refused("This no longer waits to be confirmed.")
    confirmation = BypassConfirmation.objects.create(bypass=bypass, by=by, at=at)
    gate.state = Gate.State.BYPASSED
    gate.save(update_fields=["state"])
    note_event(migration, "gate.bypass_confirmed", by=by, at=at, subject=f"gate:{gate.key}")
    return confirmation


@transaction.atomic
def report_condition(
    *, migration: Migration, gate_key: str, source: str, met: bool, summary: str, at: datetime
) -> None:
    """How another room tells a gate what it knows, for example “12 items to re-enter”."""
    gate = Gate.objects.get(migration=lock(migration), key=gate_key)
    GateCondition.objects.update_or_create(
        gate=gate,
        source=source,
        defaults={"met": met, "summary": summary, "reported_at": at},
    )


def blocking(migration: Migration, what: str) -> list[Gate]:
    """The gates that hold ``what`` up: a key date, ``gate:...`` or ``finish``.

    A gate that applies only under a condition holds nothing up once its own
    task was set aside.
    """
    waiting = migration.gates.with_needed().filter(
        state=Gate.State.WAITING, plan_gate__blocks__contains=[what]
    )
    return [gate for gate in waiting.select_related("plan_gate") if gate.is_needed]
