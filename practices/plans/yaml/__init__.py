"""Plans as YAML: read with every fault found at once, written in one canonical form."""

from .fields import MAX_NUMBER, PROSE
from .nodes import FileProblem, Place, PlanFileError
from .reading import MAX_BYTES, read_plan
from .schema import plan_schema
from .writing import plan_digest, plan_entry, write_plan

__all__ = [
    "MAX_BYTES",
    "MAX_NUMBER",
    "PROSE",
    "FileProblem",
    "Place",
    "PlanFileError",
    "plan_digest",
    "plan_entry",
    "plan_schema",
    "read_plan",
    "write_plan",
]
