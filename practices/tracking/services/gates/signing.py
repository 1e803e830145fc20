"""Who may sign a seat, and signing it."""

from datetime import UTC, datetime

from django.db import transaction

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common.errors import Conflict, Refused
from practices.common.models import Event, Text, sha256
from practices.common.services import canonical, clean_text, text_reference, write_text
from practices.common.templatetags.uk import uk_datetime
from practices.plans.models import PlanSeat
from practices.tracking.models import Gate, Migration, SignOff, Task
from practices.tracking.models.task import TaskQuerySet
from practices.tracking.rules import same_name
from practices.tracking.services import clocks
from practices.tracking.services._base import lock, newest_act, note_event, settle
from practices.tracking.waiting import require_turn

from .covered import covered_tasks, seen_mark, still_open
from .waiting import blocking, fresh


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


def free_seats(gate: Gate) -> list[PlanSeat]:
    """Seats nobody has signed in this round."""
    taken = gate.sign_offs.filter(round=gate.round).values("seat")
    return list(gate.plan_gate.seats.exclude(pk__in=taken))


def seats_for(gate: Gate, user: User) -> list[PlanSeat]:
    """The free seats this person may sign, given their roles here and what they signed already.

    What went ahead without its sign-off can still be signed afterwards; what left the plan
    waits for nobody.
    """
    if (
        gate.state == Gate.State.SIGNED
        or gate.left_plan
        or not gate.migration.allows(user, Permission.SIGN)
    ):
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
    :class:`Waits` when the task that signs the seat waits for another one,
    :class:`Refused` when the signer may not fill the seat or a reason is missing.
    """
    migration = lock(gate.migration)
    gate = fresh(gate, migration)
    taken = gate.sign_offs.filter(round=gate.round, seat=seat).select_related("by").first()
    if taken and taken.by_id == by.pk:
        return taken
    if taken:
        raise SeatTaken(taken)
    if seat not in seats_for(gate, by):
        raise Refused("This signature belongs to somebody else: your role does not fill this seat.")
    for blocker in blocking(migration, f"gate:{gate.key}"):
        raise Refused(f"“{blocker.title}” has to be signed first.")
    require_turn_of(migration, seat, at)
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


def _seat_task(migration: Migration, seat: PlanSeat) -> TaskQuerySet:
    return migration.tasks.filter(plan_task__signs=seat).select_related("plan_task")


def require_turn_of(migration: Migration, seat: PlanSeat, at: datetime) -> None:
    """Raise :class:`Waits` where the task that signs a seat waits for another one."""
    for task in _seat_task(migration, seat).open():
        require_turn(task, at)


def _do_seat_task(migration: Migration, seat: PlanSeat, *, by: User, at: datetime) -> None:
    task = _seat_task(migration, seat).first()
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
