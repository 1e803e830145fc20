"""Reads of plans for pages and files."""

from .drafts import DraftPage, PartRow, draft_of, draft_page, part_rows, task_rows
from .edits import EditLine, edits_of, part_seen, recent_edits
from .lessons import PhaseEntry, TaskEntry, lessons_page, phase_entry, task_entry
from .lists import PlanLine, all_plans
from .pages import VersionPage, version_page
from .trees import changed_since, newest_of, tree_of, version_before, with_parts

__all__ = [
    "DraftPage",
    "EditLine",
    "PartRow",
    "PhaseEntry",
    "PlanLine",
    "TaskEntry",
    "VersionPage",
    "all_plans",
    "changed_since",
    "draft_of",
    "draft_page",
    "edits_of",
    "lessons_page",
    "newest_of",
    "part_rows",
    "part_seen",
    "phase_entry",
    "recent_edits",
    "task_entry",
    "task_rows",
    "tree_of",
    "version_before",
    "version_page",
    "with_parts",
]
