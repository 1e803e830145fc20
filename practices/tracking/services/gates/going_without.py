"""Recording that a step went ahead without its signature."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Refused
from practices.common.models import Text
from practices.common.services import write_text
from practices.tracking.models import Bypass, BypassConfirmation, Gate
from practices.tracking.services._base import lock, note_event, require_reason

from .waiting import fresh


@transaction.atomic
def record_bypass(*, gate: Gate, reason: str, by: User, at: datetime) -> Bypass:
    """Record that a step happens without its sign-off; it waits for a second person.

    Where the reason of an earlier record was removed for good, this one takes its place in a
    new round, because what was recorded is never changed.
    """
    require_reason(reason, "going ahead without the sign-off")
    migration = lock(gate.migration)
    gate = fresh(gate, migration)
    if not gate.plan_gate.blocks:
        raise Refused("This sign-off holds nothing up, so everything can go ahead.")
    if gate.is_open:
        raise Refused("This sign-off is not waiting any more.")
    there = gate.bypasses.filter(round=gate.round).select_related("reason").first()
    if there and not there.reason.redacted_at:
        raise Refused("This is already recorded, and waits to be confirmed by a second person.")
    if there and gate.sign_offs.filter(round=gate.round).exists():
        raise Refused(
            "Somebody has signed part of this already, and the signature would no longer count. "
            "Ask for the signatures that are missing, or for it to be withdrawn first."
        )
    if there:
        gate.round += 1
        gate.save(update_fields=["round"])
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
    gate = fresh(bypass.gate, migration)
    if bypass.by_id == by.pk:
        raise Refused("A second person has to confirm: you recorded it yourself.")
    if gate.is_open or bypass.round != gate.round:
        raise Refused("This no longer waits to be confirmed.")
    if problem := unread(Text.objects.get(pk=bypass.reason_id)):
        raise Refused(problem)
    confirmation = BypassConfirmation.objects.create(bypass=bypass, by=by, at=at)
    gate.state = Gate.State.BYPASSED
    gate.save(update_fields=["state"])
    note_event(migration, "gate.bypass_confirmed", by=by, at=at, subject=f"gate:{gate.key}")
    return confirmation


def unread(reason: Text) -> str:
    """Why nobody can confirm for this reason now, or nothing.

    The one who recorded it may be the one who hid it, so a second person has to have read it.
    """
    if reason.redacted_at:
        return (
            "This cannot be confirmed: its reason was removed. It has to be recorded again, "
            "with a reason that can be read."
        )
    if reason.hidden_at:
        return (
            "This cannot be confirmed now: its reason is hidden while it is checked. It can be "
            "confirmed once the reason is shown again."
        )
    return ""
