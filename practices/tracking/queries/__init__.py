"""What the pages of a migration show, read in a fixed number of statements."""

from .clocks import ClockNow, clock_lines, clocks_now
from .patient_data import hidden_count, report_lines
from .progress import gate_lines, go_live_of, phase_line, phase_lines
from .tasks import TaskRow, Viewer, assignable_people, due_next, late, next_tasks, rows

__all__ = [
    "ClockNow",
    "TaskRow",
    "Viewer",
    "assignable_people",
    "clock_lines",
    "clocks_now",
    "due_next",
    "gate_lines",
    "go_live_of",
    "hidden_count",
    "late",
    "next_tasks",
    "phase_line",
    "phase_lines",
    "report_lines",
    "rows",
]
