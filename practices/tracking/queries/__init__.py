"""What the pages of a migration show, read in a fixed number of statements."""

from .access import AccessNow, access_now, extensions
from .clocks import ClockCard, ClockNow, clock_lines, clocks_now, not_started
from .conditions import ANSWERS, condition_lines, consequences
from .patient_data import hidden_count, report_lines
from .progress import gate_lines, go_live_of, phase_line, phase_lines
from .tasks import TaskRow, Viewer, assignable_people, due_next, late, next_tasks, row, rows

__all__ = [
    "ANSWERS",
    "AccessNow",
    "ClockCard",
    "ClockNow",
    "TaskRow",
    "Viewer",
    "access_now",
    "assignable_people",
    "clock_lines",
    "clocks_now",
    "condition_lines",
    "consequences",
    "due_next",
    "extensions",
    "gate_lines",
    "go_live_of",
    "hidden_count",
    "late",
    "next_tasks",
    "not_started",
    "phase_line",
    "phase_lines",
    "report_lines",
    "row",
    "rows",
]
