"""Every write on plans."""

from .adopting import adopt_lesson, adopt_task
from .arranging import merge_phases, move_part, move_to_phase, set_tasks, shift_part
from .drafts import edit_digest
from .editing import Clashing, add_part, remove_part, replace_content, set_fields, take_back
from .sharing import import_plan
from .versions import (
    Loaded,
    discard,
    draft_digest,
    draft_from,
    load_plan,
    new_plan,
    publish,
    retire,
)

__all__ = [
    "Clashing",
    "Loaded",
    "add_part",
    "adopt_lesson",
    "adopt_task",
    "discard",
    "draft_digest",
    "draft_from",
    "edit_digest",
    "import_plan",
    "load_plan",
    "merge_phases",
    "move_part",
    "move_to_phase",
    "new_plan",
    "publish",
    "remove_part",
    "replace_content",
    "retire",
    "set_fields",
    "set_tasks",
    "shift_part",
    "take_back",
]
