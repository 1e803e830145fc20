"""Plans: the versioned templates that migrations are started from.

A plan version is a tree of key dates, phases with tasks, gates with seats, and
clocks. Once published, the database lets nobody change it: running migrations
read their wording through it (house.md decision 4).
"""

from practices.plans.rules import Unit

from .parts import (
    PlanClock,
    PlanCondition,
    PlanCover,
    PlanDependency,
    PlanGate,
    PlanKeyDate,
    PlanPhase,
    PlanReminder,
    PlanSeat,
    PlanTask,
)
from .version import Plan, PlanEdit, PlanVersion

__all__ = [
    "Plan",
    "PlanClock",
    "PlanCondition",
    "PlanCover",
    "PlanDependency",
    "PlanEdit",
    "PlanGate",
    "PlanKeyDate",
    "PlanPhase",
    "PlanReminder",
    "PlanSeat",
    "PlanTask",
    "PlanVersion",
    "Unit",
]
