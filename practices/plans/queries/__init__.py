"""Reads of plans for pages and files."""

from .lists import PlanLine, all_plans
from .pages import VersionPage, version_page
from .trees import changed_since_published, tree_of, with_parts

__all__ = [
    "PlanLine",
    "VersionPage",
    "all_plans",
    "changed_since_published",
    "tree_of",
    "version_page",
    "with_parts",
]
