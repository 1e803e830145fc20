"""Signing, withdrawing, and recording that a step went ahead without its signature."""

from .covered import StillOpen, covered_tasks, seen_mark, still_open
from .going_without import confirm_bypass, record_bypass, unread
from .signing import (
    SeatTaken,
    Stale,
    free_seats,
    require_turn_of,
    seats_for,
    sign_off,
    signing_as,
)
from .taking_back import end_round, may_withdraw, round_has_begun, withdraw_sign_off
from .waiting import blocking, report_condition, unsigned_before

__all__ = [
    "SeatTaken",
    "Stale",
    "StillOpen",
    "blocking",
    "confirm_bypass",
    "covered_tasks",
    "end_round",
    "free_seats",
    "may_withdraw",
    "record_bypass",
    "report_condition",
    "require_turn_of",
    "round_has_begun",
    "seats_for",
    "seen_mark",
    "sign_off",
    "signing_as",
    "still_open",
    "unread",
    "unsigned_before",
    "withdraw_sign_off",
]
