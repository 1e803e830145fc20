"""One task: its page, and every act of a person on it."""

from .acts import already_done, assign, block, due, reopen, set_aside, task, tick
from .additions import evidence, evidence_file, evidence_remove, note

__all__ = [
    "already_done",
    "assign",
    "block",
    "due",
    "evidence",
    "evidence_file",
    "evidence_remove",
    "note",
    "reopen",
    "set_aside",
    "task",
    "tick",
]
