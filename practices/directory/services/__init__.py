"""Every write of the directory."""

from .importing import IMPORT, ImportReport, ask_for_import, import_practices, run_import
from .reference import load_reference_data

__all__ = [
    "IMPORT",
    "ImportReport",
    "ask_for_import",
    "import_practices",
    "load_reference_data",
    "run_import",
]
