"""The tables of one practice's migration."""

from .access import PARTIES, AccessCheck, AccessExtension
from .clock import ClockRun
from .condition import MigrationCondition
from .gate import Bypass, BypassConfirmation, Gate, GateCondition, SignOff, Withdrawal
from .migration import COUNTERS, Contact, KeyDate, Migration, Phase
from .patient_data import PatientDataReport
from .task import Evidence, Task, TaskNote
from .upgrade import UpgradeItem, UpgradeRun

__all__ = [
    "COUNTERS",
    "PARTIES",
    "AccessCheck",
    "AccessExtension",
    "Bypass",
    "BypassConfirmation",
    "ClockRun",
    "Contact",
    "Evidence",
    "Gate",
    "GateCondition",
    "KeyDate",
    "Migration",
    "MigrationCondition",
    "PatientDataReport",
    "Phase",
    "SignOff",
    "Task",
    "TaskNote",
    "UpgradeItem",
    "UpgradeRun",
    "Withdrawal",
]
