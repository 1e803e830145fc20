"""The rules of plans: pure functions over values, without a database or a clock."""

from .checking import SIGNERS, Problem, check
from .comparing import Change, changes
from .coverage import coverage
from .dates import DatedPlan, Moment, PlanDates, clock_end, due, key_dates_for
from .tree import (
    FINISH,
    GATE_PREFIX,
    GO_LIVE,
    OBLIGATORY_KEY_DATES,
    TASK_PREFIX,
    Basis,
    ClockNode,
    GateNode,
    KeyDateNode,
    PhaseNode,
    PlanTree,
    Precision,
    SeatNode,
    TaskNode,
    Unit,
)
from .words import Wording, inside, listed, roles, span, when

__all__ = [
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
    "GateNode",
    "KeyDateNode",
    "Moment",
    "PhaseNode",
    "PlanDates",
    "PlanTree",
    "Precision",
    "Problem",
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
