"""CSV that a spreadsheet program opens without running anything in it (reliability.md 4.7)."""

import csv
from typing import Any, Protocol

# What makes a spreadsheet read a cell as a formula, also after blanks and a byte order mark.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BLANKS = " \ufeff\u00a0\u200b"


class Writable(Protocol):
    def write(self, text: str, /) -> Any: ...


def safe_cell(value: Any) -> str:
    """A value as a cell: text that looks like a formula gets an apostrophe in front."""
    text = "" if value is None else str(value).replace("\x00", "\ufffd")
    if text.startswith(_RISKY) or text.lstrip(_BLANKS).startswith(_RISKY):
        return f"'{text}"
    return text


class SafeCSV:
    """Writes rows to a text stream or an ``HttpResponse``, every cell quoted and safe.

    A byte order mark comes first, so that Excel reads UTF-8.
    """

    def __init__(self, stream: Writable) -> None:
        stream.write("\ufeff")
        self._writer = csv.writer(stream, quoting=csv.QUOTE_ALL)

    def row(self, *values: Any) -> None:
        self._writer.writerow([safe_cell(value) for value in values])
