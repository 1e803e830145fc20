"""What was signed, withdrawn and passed without: the rounds of a gate, proved as they are read."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from practices.common.models import Text, sha256
from practices.common.services import canonical
from practices.common.verification import is_id
from practices.plans.models import PlanSeat
from practices.plans.rules import FINISH, GATE_PREFIX, inside

from .models import Bypass, Gate, SignOff, Withdrawal

logger = logging.getLogger(__name__)

UNREADABLE = "This record cannot be read."


@dataclass(frozen=True)
class Accepted:
    """Something that was not finished when it was signed, and the reason it was accepted."""

    title: str
    reason: Text | str


@dataclass(frozen=True)
class Signature:
    """A signature with what was accepted. ``intact``: the record is what was signed."""

    signed: SignOff
    accepted: list[Accepted]
    intact: bool


@dataclass(frozen=True)
class Round:
    """One round of a gate: from its first signature to its withdrawal."""

    number: int
    signatures: list[Signature]
    bypass: Bypass | None
    withdrawal: Withdrawal | None


@dataclass(frozen=True)
class Seat:
    """A seat of the present round, signed or free."""

    seat: PlanSeat
    signature: Signature | None


def rounds(gate: Gate) -> list[Round]:
    """Every round in which something happened, newest first, in a fixed number of statements."""
    signed = list(gate.sign_offs.select_related("by", "seat").order_by("at"))
    bypasses = {
        b.round: b for b in gate.bypasses.select_related("by", "reason", "confirmation__by")
    }
    withdrawals = {w.round: w for w in gate.withdrawals.select_related("by", "reason")}
    # One forged row must not take the page away from all the others.
    readable = [one for one in signed if is_record(one.snapshot)]
    texts = Text.objects.in_bulk(
        {reference["text"] for one in readable for reference in references(one.snapshot)}
    )
    codes = {key for one in readable for key in one.snapshot["exceptions"]}
    titles = {
        task.code: str(task)
        for task in gate.migration.tasks.filter(code__in=codes).select_related(
            "plan_task", "own_title"
        )
    }
    signatures = [
        Signature(one, _accepted(one, titles, texts), is_intact(one, texts))
        if one in readable
        else _unreadable(one)
        for one in signed
    ]
    numbers = {one.round for one in signed} | bypasses.keys() | withdrawals.keys()
    return [
        Round(
            number,
            [one for one in signatures if one.signed.round == number],
            bypasses.get(number),
            withdrawals.get(number),
        )
        for number in sorted(numbers, reverse=True)
    ]


def seats(gate: Gate, found: Iterable[Round]) -> list[Seat]:
    """The gate's seats with the signatures of its present round."""
    present = {
        one.signed.seat_id: one
        for a_round in found
        if a_round.number == gate.round
        for one in a_round.signatures
    }
    return [Seat(seat, present.get(seat.pk)) for seat in gate.plan_gate.seats.all()]


def holds_up(gate: Gate) -> list[str]:
    """What may not happen before the gate is open, as words within a sentence."""
    names = []
    dates = {row.key: row.title for row in gate.migration.plan_version.key_dates.all()}
    others = {row.key: row.title for row in gate.migration.plan_version.gates.all()}
    for name in gate.plan_gate.blocks:
        if name == FINISH:
            names.append("closing the migration")
        elif name.startswith(GATE_PREFIX):
            names.append(f"signing “{others[name.removeprefix(GATE_PREFIX)]}”")
        else:
            names.append(inside(dates[name]))
    return names


def is_record(snapshot: Any) -> bool:
    """Whether plain JSON has the shape of what ``sign_off`` writes, whoever wrote it."""
    try:
        datetime.fromisoformat(snapshot["signed_at"])
        head = snapshot["events"]
        words = [snapshot["migration"], snapshot["gate"], snapshot["seat"]]
        words += [one[name] for one in snapshot["conditions"] for name in ("source", "summary")]
        ids = [snapshot["round"], snapshot["signed_by"]]
        ids += [reference["text"] for reference in references(snapshot)]
        words += [reference["sha256"] for reference in references(snapshot)]
        words += [snapshot["signed_as"]]
        if head is not None:
            ids, words = [*ids, head["seq"]], [*words, head["hash"]]
        return (
            "deputy_for" in snapshot
            and (head is None or head.keys() == {"seq", "hash"})
            and all(isinstance(word, str) for word in words)
            and all(is_id(one) for one in ids)
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _unreadable(signed: SignOff) -> Signature:
    logger.warning("The snapshot of sign-off %s is not that of a signature.", signed.pk)
    signed.snapshot = {}  # this copy only: the page has nothing to read in it
    return Signature(signed, [Accepted("What was accepted", UNREADABLE)], intact=False)


def references(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts a signature speaks of: reasons for what was accepted or set aside."""
    reasons = [one["reason"] for one in snapshot["covers"] if one["reason"]]
    return [*reasons, *snapshot["exceptions"].values()]


def _accepted(signed: SignOff, titles: dict[str, str], texts: dict[int, Text]) -> list[Accepted]:
    conditions = {
        f"condition:{one['source']}": one["summary"] for one in signed.snapshot["conditions"]
    }
    return [
        Accepted(titles.get(key) or conditions.get(key, key), texts.get(reference["text"], ""))
        for key, reference in signed.snapshot["exceptions"].items()
    ]


def is_intact(signed: SignOff, texts: dict[int, Text]) -> bool:
    """Whether the row still is what was signed: its digest, its columns and its texts."""
    snapshot = signed.snapshot
    return (
        signed.digest == sha256(canonical(snapshot))
        and snapshot["signed_by"] == signed.by_id
        and snapshot["signed_as"] == signed.role
        and snapshot["deputy_for"] == signed.deputy_for_id
        and snapshot["round"] == signed.round
        and snapshot["seat"] == signed.seat.key
        and datetime.fromisoformat(snapshot["signed_at"]) == signed.at
        and all(_same_text(reference, texts) for reference in references(snapshot))
    )


def _same_text(reference: dict[str, Any], texts: dict[int, Text]) -> bool:
    text = texts.get(reference["text"])
    if text is None or text.sha256 != reference["sha256"]:
        return False
    # A redacted text has lost its words on purpose; its digest stays.
    return bool(text.redacted_at) or sha256(text.body) == reference["sha256"]
