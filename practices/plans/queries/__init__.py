"""Reads of plans for pages and files."""

from .drafts import DraftPage, PartRow, draft_of, draft_page, part_rows, task_rows
from .edits import EditLine, edits_of, recent_edits
from .lists import PlanLine, all_plans
from .pages import VersionPage, version_page
from .trees import changed_since_published, tree_of, with_parts

__all__ = [
    "DraftPage",
    "EditLine",
    "PartRow",
    "PlanLine",
    "VersionPage",
    "all_plans",
    "changed_since_published",
    "draft_of",
    "draft_page",
    "edits_of",
    "part_rows",
    "recent_edits",
    "task_rows",
    "tree_of",
    "version_page",
    "with_parts",
]
