"""Pages of plans."""

from .drafting import draft, draft_changes, draft_take_back, new, start_draft
from .due_line import draft_due, draft_go_live
from .kinds import KindConverter
from .lessons import draft_adopt, draft_lessons, draft_lessons_of
from .parts import draft_add, draft_details, draft_edit, draft_move, draft_parts, draft_remove
from .phases import draft_merge, draft_tasks
from .preview import check_version, preview
from .publishing import publish
from .sharing import export_workbook, import_workbook, schema
from .versions import discard, export, plans, retire, upload, version

__all__ = [
    "KindConverter",
    "check_version",
    "discard",
    "draft",
    "draft_add",
    "draft_adopt",
    "draft_changes",
    "draft_details",
    "draft_due",
    "draft_edit",
    "draft_go_live",
    "draft_lessons",
    "draft_lessons_of",
    "draft_merge",
    "draft_move",
    "draft_parts",
    "draft_remove",
    "draft_take_back",
    "draft_tasks",
    "export",
    "export_workbook",
    "import_workbook",
    "new",
    "plans",
    "preview",
    "publish",
    "retire",
    "schema",
    "start_draft",
    "upload",
    "version",
]
