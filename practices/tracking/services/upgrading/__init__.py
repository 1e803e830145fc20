"""Moving running migrations to another version of their plan, and back."""

from .proposing import LeftOut, Proposal
from .running import (
    UNDO,
    UPGRADE,
    ask_for_upgrades,
    ask_to_go_on,
    ask_to_undo,
    run_undo,
    run_upgrades,
    upgrade_one,
)
from .target import Target, target_of
from .undoing import require_undoable, undo_upgrade
from .upgrade import Upgraded, preview_upgrade, upgrade_migration

__all__ = [
    "UNDO",
    "UPGRADE",
    "LeftOut",
    "Proposal",
    "Target",
    "Upgraded",
    "ask_for_upgrades",
    "ask_to_go_on",
    "ask_to_undo",
    "preview_upgrade",
    "require_undoable",
    "run_undo",
    "run_upgrades",
    "target_of",
    "undo_upgrade",
    "upgrade_migration",
    "upgrade_one",
]
