"""What the dashboard reads: which migrations need somebody, and a row for each of them.

The number of statements does not depend on how many migrations are in view, and
only one page of them is ever read whole.
"""

from .lists import EVERY_STATE, SORTS, Asked, chosen, listed
from .options import Choices, Options, options
from .rows import STATE_COLOURS, Clock, NextDate, Row, rows
from .signals import (
    ACCESS_SOON,
    COUNTERS,
    SIGNING_SOON,
    Signals,
    overdue_counts,
    signals,
    waiting_for_sign_off,
)

__all__ = [
    "ACCESS_SOON",
    "COUNTERS",
    "EVERY_STATE",
    "SIGNING_SOON",
    "SORTS",
    "STATE_COLOURS",
    "Asked",
    "Choices",
    "Clock",
    "NextDate",
    "Options",
    "Row",
    "Signals",
    "chosen",
    "listed",
    "options",
    "overdue_counts",
    "rows",
    "signals",
    "waiting_for_sign_off",
]
