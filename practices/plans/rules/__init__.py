"""The rules of plans: pure functions over values, without a database or a clock."""

from .checking import SIGNERS, check
from .comparing import Change, changes
from .coverage import coverage
from .dates import DatedPlan, Moment, PlanDates, clock_end, due, key_dates_for
from .known import Problem
from .tree import (
    ANY_GATE,
    BREACH_PREFIX,
    FINISH,
    GATE_PREFIX,
    GO_LIVE,
    OBLIGATORY_KEY_DATES,
    TASK_PREFIX,
    Basis,
    ClockNode,
    Delivery,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    Precision,
    ReminderNode,
    SeatNode,
    TaskNode,
    Unit,
)
from .words import Wording, inside, listed, roles, span, when

__all__ = [
    "ANY_GATE",
    "BREACH_PREFIX",
    "FINISH",
    "GATE_PREFIX",
    "GO_LIVE",
    "OBLIGATORY_KEY_DATES",
    "SIGNERS",
    "TASK_PREFIX",
    "Basis",
    "Change",
    "ClockNode",
    "DatedPlan",
    "Delivery",
    "GateNode",
    "KeyDateNode",
    "Moment",
    "PhaseNode",
    "PlanDates",
    "PlanTree",
    "Precision",
    "Problem",
    "ReminderNode",
    "SeatNode",
    "TaskNode",
    "Unit",
    "Wording",
    "changes",
    "check",
    "clock_end",
    "coverage",
    "due",
    "inside",
    "key_dates_for",
    "listed",
    "roles",
    "span",
    "when",
]
