"""Reading text files that people's programs wrote: which encoding, and what is no text at all."""

import codecs
import contextlib
import io
from collections.abc import Generator
from typing import Any, BinaryIO

from django.core.files import File

from .errors import Refused

_HEAD = 65_536  # bytes that decide whether a file is text
_BLOCK = 1024 * 1024
_MOST_CONTROLS = 0.01
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a")) + b"\x7f"
NAMES = {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}


def detect_encoding(file: BinaryIO | File) -> str:
    """The codec that reads the whole of ``file``: UTF-8, UTF-16 or, failing both, Windows-1252.

    UTF-8 and UTF-16 are found with and without a byte order mark. Raises
    :class:`Refused` for what is no text, with a sentence that says what to do.
    """
    file.seek(0)
    head = file.read(_HEAD)
    for mark, codec in _BOMS.items():
        if head.startswith(mark):
            if _reads(file, codec):
                return codec
            raise Refused(
                f"The file says that it is {NAMES[codec]} text but is not. "
                "Save it again as “CSV UTF-8”."
            )
    if head.count(0) > len(head) * 0.2:
        # English text in UTF-16 has a zero in every second byte, and only there.
        for codec, high in (("utf-16-le", 1), ("utf-16-be", 0)):
            zeros = head[high::2].count(0) > len(head) * 0.4 and not head[1 - high :: 2].count(0)
            if zeros and _reads(file, codec):
                return codec
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls <= len(head) * _MOST_CONTROLS and not head.startswith((b"%PDF-", b"{\\rtf")):
        for codec in ("utf-8", "cp1252"):
            if _reads(file, codec):
                return codec
    raise Refused(
        "The file is not a text file. If it is a spreadsheet, save it as “CSV UTF-8” and use that."
    )


def _reads(file: BinaryIO | File, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    file.seek(0)
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_lines(file: BinaryIO | File, codec: str, *, longest: int) -> Generator[str, None, None]:
    """The lines of a text file from its start, with their ends (LF, CR LF or CR).

    Raises :class:`Refused` at a line of more than ``longest`` characters, so that
    a file without line ends never fills the memory.
    """
    file.seek(0)
    binary: Any = file
    while isinstance(binary, File):
        binary = binary.file
    text = io.TextIOWrapper(binary, encoding=codec, newline="")
    try:
        number = 0
        while line := text.readline(longest + 1):
            number += 1
            if len(line) > longest:
                raise Refused(
                    f"Line {number:,} is longer than {longest:,} characters, "
                    "so this is not a table with one entry a line."
                )
            yield line
    finally:
        # Who asked for the lines may have closed the file before the last one.
        with contextlib.suppress(ValueError):
            text.detach()
