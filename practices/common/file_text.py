"""The words in a file somebody hands in, so far as a program can read them.

Pictures, and PDFs that are pictures of pages, have none: people are told that only
they can check those.
"""

import logging
import re
import zipfile
from collections.abc import Iterator

import pypdf
from django.core.files import File
from pypdf.errors import PyPdfError

from .files import MEGABYTE, TABLE, extension
from .text import detect_encoding

logger = logging.getLogger(__name__)

_MOST_PAGES = 200
_MOST_UNPACKED = 20 * MEGABYTE
# Ends of what stands by itself: a paragraph in Word; a cell, or a text for cells, in Excel.
_ENDS = re.compile(r"</(?:w:p|c|si)>")
_TAG = re.compile(r"<[^>]*>")


def texts_in(upload: File) -> Iterator[str]:
    """The texts of a file that :func:`~practices.common.files.check_upload` has let pass."""
    ending = extension(upload.name or "")
    if ending in TABLE:
        codec = detect_encoding(upload)
        upload.seek(0)
        yield upload.read().decode(codec)
    elif ending in ("docx", "xlsx"):
        yield from _office(upload)
    elif ending == "pdf":
        yield from _pdf(upload)


def _office(upload: File) -> Iterator[str]:
    upload.seek(0)
    room = _MOST_UNPACKED
    with zipfile.ZipFile(upload) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith(".xml") or room <= 0:
                continue
            with archive.open(entry) as part:
                markup = part.read(room)
            room -= len(markup)
            # One word can lie in several runs, so tags vanish; what stands apart stays apart.
            yield _TAG.sub("", _ENDS.sub(" | ", markup.decode("utf-8", "replace")))


def _pdf(upload: File) -> Iterator[str]:
    upload.seek(0)
    try:
        pages = pypdf.PdfReader(upload).pages
        for number in range(min(len(pages), _MOST_PAGES)):
            yield pages[number].extract_text()
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        # Only its kind: the message can quote the file.
        logger.warning("The text of a PDF could not be read: %s", type(fault).__name__)
