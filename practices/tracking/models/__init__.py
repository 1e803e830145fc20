"""The tables of one practice's migration."""

from .clock import ClockRun
from .gate import Bypass, BypassConfirmation, Gate, GateCondition, SignOff, Withdrawal
from .migration import COUNTERS, Contact, KeyDate, Migration, Phase
from .task import Evidence, Task, TaskNote

__all__ = [
    "COUNTERS",
    "Bypass",
    "BypassConfirmation",
    "ClockRun",
    "Contact",
    "Evidence",
    "Gate",
    "GateCondition",
    "KeyDate",
    "Migration",
    "Phase",
    "SignOff",
    "Task",
    "TaskNote",
    "Withdrawal",
]
