"""Plans as Excel workbooks, for people who think in tables: the same plan, the same faults."""

from .opening import COMPOUND, MAX_MEGABYTES
from .reading import read_workbook
from .writing import write_workbook

__all__ = ["COMPOUND", "MAX_MEGABYTES", "read_workbook", "write_workbook"]
