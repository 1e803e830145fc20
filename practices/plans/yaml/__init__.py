"""Plans as YAML: read with every fault found at once, written in one canonical form."""

from .document import FileProblem, PlanFileError
from .reading import MAX_BYTES, read_plan
from .writing import plan_digest, write_plan

__all__ = [
    "MAX_BYTES",
    "FileProblem",
    "PlanFileError",
    "plan_digest",
    "read_plan",
    "write_plan",
]
