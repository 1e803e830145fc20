"""Every write of this room, one function per act of a person."""

from .access import Agreement, check_access, extend_access
from .clocks import explain_breach
from .conditions import answer_condition, apply_conditions, ask_conditions
from .contacts import (
    ContactDetails,
    add_contact,
    change_contact,
    change_project_manager,
    remove_contact,
)
from .dates import clear_actual, record_actual
from .gates import (
    confirm_bypass,
    record_bypass,
    report_condition,
    sign_off,
    withdraw_sign_off,
)
from .leaving import leave
from .lifecycle import cancel_migration, delete_migration, finish_migration
from .patient_data import redact, report_patient_data, restore
from .pinning import pin_task
from .remarks import add_evidence, add_note, remove_evidence
from .replanning import preview_replan, replan
from .start import preview_start, start_migration
from .tasks import (
    add_task,
    assign_task,
    block_task,
    reopen_task,
    set_task_aside,
    tick_task,
    tick_tasks,
)

__all__ = [
    "Agreement",
    "ContactDetails",
    "add_contact",
    "add_evidence",
    "add_note",
    "add_task",
    "answer_condition",
    "apply_conditions",
    "ask_conditions",
    "assign_task",
    "block_task",
    "cancel_migration",
    "change_contact",
    "change_project_manager",
    "check_access",
    "clear_actual",
    "confirm_bypass",
    "delete_migration",
    "explain_breach",
    "extend_access",
    "finish_migration",
    "leave",
    "pin_task",
    "preview_replan",
    "preview_start",
    "record_actual",
    "record_bypass",
    "redact",
    "remove_contact",
    "remove_evidence",
    "reopen_task",
    "replan",
    "report_condition",
    "report_patient_data",
    "restore",
    "set_task_aside",
    "sign_off",
    "start_migration",
    "tick_task",
    "tick_tasks",
    "withdraw_sign_off",
]
