"""What the pages of this room read: which migrations need somebody, a row for each, own tasks.

The number of statements does not depend on how many migrations are in view, and
only one page of them is ever read whole.
"""

from .lists import EVERY_STATE, SORTS, Asked, chosen, listed
from .options import Choices, Options, RunBy, options, run_by
from .own_tasks import GROUPS, OwnTasks, own_tasks
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
    "GROUPS",
    "SIGNING_SOON",
    "SORTS",
    "STATE_COLOURS",
    "Asked",
    "Choices",
    "Clock",
    "NextDate",
    "Options",
    "OwnTasks",
    "Row",
    "RunBy",
    "Signals",
    "chosen",
    "listed",
    "options",
    "overdue_counts",
    "own_tasks",
    "rows",
    "run_by",
    "signals",
    "waiting_for_sign_off",
]
