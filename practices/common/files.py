"""Files people hand in: looked at before they are kept, and served so that no browser runs them.

What a file is must be said by its content and by its name alike (reliability.md
4.5). Nothing is ever unpacked: of a zip-based file only the directory is read.
"""

import hashlib
import logging
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath

import puremagic
from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction
from django.http import FileResponse, Http404
from django.utils.http import content_disposition_header

from .errors import Refused
from .models import StoredFile
from .services import clean_text
from .text import detect_encoding

logger = logging.getLogger(__name__)

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "txt": "text/plain",
}
EVIDENCE = tuple(MEDIA_TYPES)
TABLE = ("csv", "txt")

MEGABYTE = 1024 * 1024
_HEAD = 4096  # bytes that decide what a file is
_MAIN_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|svg|script|\?xml|head|body|iframe)", re.IGNORECASE)
_MOST_ENTRIES = 1000
_MOST_UNPACKED = 100 * MEGABYTE
_MOST_RATIO = 100


def extension(name: str) -> str:
    """The lower-case ending of a file name, without its dot."""
    return PurePath(name).suffix.lower().removeprefix(".")


def check_upload(*, upload: File, allowed: tuple[str, ...], megabytes: int) -> str:
    """Look at a file that somebody hands in; returns its media type.

    ``allowed`` are endings such as ``EVIDENCE`` or ``TABLE``, ``megabytes`` the
    size limit. Raises :class:`Refused` with a sentence for the person.
    """
    ending = extension(upload.name or "")
    if ending not in allowed:
        seems = _told([*_kinds(upload), ending])
        raise Refused(f"The file must be {_listed(allowed)}. {seems}".strip())
    if not upload.size:
        raise Refused("The file is empty.")
    if upload.size > megabytes * MEGABYTE:
        size = upload.size / MEGABYTE
        raise Refused(f"The file must be {megabytes} MB or smaller. This one is {size:.1f} MB.")
    found = _sniff(upload, ending)
    if found != MEDIA_TYPES[ending]:
        # What its name says is just what it is not.
        others = [kind for kind in _kinds(upload) if kind != ending]
        raise Refused(
            f"The file is named .{ending} but is not a {ending.upper()} file inside. "
            f"{_told(others)}".strip()
        )
    return found


def store_file(
    *,
    upload: File,
    by: AbstractBaseUser,
    at: datetime,
    allowed: tuple[str, ...],
    megabytes: int,
) -> StoredFile:
    """Keep a file somebody hands in, after :func:`check_upload`.

    Raises :class:`Refused` when the file is not wanted or the disk does not take it.
    """
    media_type = check_upload(upload=upload, allowed=allowed, megabytes=megabytes)
    return keep_file(content=upload, name=upload.name or "", media_type=media_type, by=by, at=at)


def keep_file(
    *, content: File, name: str, media_type: str, by: AbstractBaseUser, at: datetime
) -> StoredFile:
    """Keep a file the product made itself, without questions.

    The file lies on the disk before its row is committed: a row never lacks its
    file. A file whose row was rolled back is taken away by :func:`remove_orphans`.
    """
    content.seek(0)
    digest = hashlib.sha256()
    for chunk in content.chunks():
        digest.update(chunk)
    content.seek(0)
    stored = StoredFile(
        name=clean_name(name),
        media_type=media_type,
        size=content.size,
        sha256=digest.hexdigest(),
        stored_by_id=by.pk,
        stored_at=at,
    )
    storage = stored.content.storage
    try:
        with transaction.atomic():
            stored.content.save(stored.name, content, save=False)
            stored.save()
    except OSError as fault:
        _delete_quietly(storage, stored.content.name)
        logger.exception("A file could not be kept.")
        raise Refused(
            "The file could not be kept on the server, and nothing was changed. Try again later."
        ) from fault
    except BaseException:
        _delete_quietly(storage, stored.content.name)
        raise
    return stored


def serve_file(stored: StoredFile) -> FileResponse:
    """The answer that hands a file out: saved by the browser, never shown or run by it.

    The caller has checked who asks. Raises ``Http404`` when it is hidden or redacted, or
    the disk has lost the file.
    """
    if not stored.is_shown:
        raise Http404("The file is not shown.")
    try:
        content = stored.content.open("rb")
    except FileNotFoundError as fault:
        logger.exception("Stored file %s is not on the disk.", stored.pk)
        raise Http404("The file is not there any more.") from fault
    response = FileResponse(content, content_type=stored.media_type)
    disposition = content_disposition_header(as_attachment=True, filename=stored.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "no-store, private"
    return response


def redact_file(stored: StoredFile, *, at: datetime) -> None:
    """Take a file's name and content away for good; its row, size and digest stay.

    The content goes once the act is committed. Should that fail, no row knows it any
    more, and :func:`remove_orphans` takes it away.
    """
    storage, content = stored.content.storage, stored.content.name
    stored.name, stored.content, stored.redacted_at = "", "", at
    stored.save(update_fields=["name", "content", "redacted_at"])
    transaction.on_commit(lambda: _delete_quietly(storage, content))


def remove_orphans(*, before: datetime) -> int:
    """Delete files from before an instant that no row knows; returns how many.

    They are left when an act was rolled back, or its worker killed, after the
    file was written.
    """
    storage = StoredFile._meta.get_field("content").storage
    removed = 0
    for folder in _folders(storage):
        names = {f"{folder}/{name}" for name in storage.listdir(folder)[1]}
        known = StoredFile.objects.filter(content__in=names).values_list("content", flat=True)
        for name in names.difference(known):
            if storage.get_modified_time(name) < before:
                storage.delete(name)
                removed += 1
    return removed


def clean_name(name: str) -> str:
    """A person's name for a file, fit to be shown and saved: no path, no control characters."""
    plain = "".join(
        letter
        for letter in clean_text(name.replace("\\", "/").rpartition("/")[2])
        if unicodedata.category(letter)[0] != "C"
    )
    stem, ending = PurePath(plain).stem, PurePath(plain).suffix
    return f"{stem[: 200 - len(ending)]}{ending}" if plain else "file"


def _folders(storage: Storage) -> Iterator[str]:
    try:
        inside, _ = storage.listdir("files")
    except FileNotFoundError:
        return
    yield from (f"files/{name}" for name in inside)


def _delete_quietly(storage: Storage, name: str | None) -> None:
    try:
        if name and storage.exists(name):
            storage.delete(name)
    except OSError:
        logger.exception("A file could not be deleted: %s", name)


def _head(upload: File) -> bytes:
    upload.seek(0)
    return bytes(upload.read(_HEAD))


def _sniff(upload: File, ending: str) -> str | None:
    """The media type the content speaks for, as far as it can be what ``ending`` says."""
    head = _head(upload)
    if ending in _MAIN_PART:
        return _sniff_office(upload, ending)
    if ending in TABLE:
        if _MARKUP.search(head.replace(b"\x00", b"")):
            raise Refused("The file holds web page code (HTML, SVG or XML), which is not accepted.")
        detect_encoding(upload)
        return MEDIA_TYPES[ending]
    return MEDIA_TYPES[ending] if ending in _identified(head) else None


def _identified(head: bytes) -> list[str]:
    try:
        return [match.extension.removeprefix(".") for match in puremagic.magic_string(head)]
    except (puremagic.PureError, ValueError):
        return []


def _sniff_office(upload: File, ending: str) -> str | None:
    upload.seek(0)
    try:
        with zipfile.ZipFile(upload) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError):
        return None
    check_archive(entries)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" in names and _MAIN_PART[ending] in names:
        return MEDIA_TYPES[ending]
    return None


def check_archive(entries: list[zipfile.ZipInfo], *, most: int = _MOST_UNPACKED) -> None:
    """Look at the directory of a zip-based file before anything is unpacked.

    ``most`` is how many bytes it may unpack to. Raises :class:`Refused` for what is a bomb,
    has a password or holds macros.
    """
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > _MOST_ENTRIES or unpacked > most or unpacked > packed * _MOST_RATIO:
        raise Refused("The file would unpack to far more than its size, so it is not accepted.")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refused("The file is protected with a password. Save it without one.")
    names = [entry.filename.lower() for entry in entries]
    if any("vbaproject" in name or "macrosheets" in name for name in names):
        raise Refused("The file holds macros, which are not accepted. Save it without them.")


def _listed(endings: tuple[str, ...]) -> str:
    names = [ending.upper() for ending in endings if ending != "jpeg"]
    return f"{', '.join(names[:-1])} or {names[-1]}" if names[1:] else f"a {names[0]}"


_TOLD = {
    "xlsx": "This one is an Excel workbook: in Excel choose Save as, then “CSV UTF-8”.",
    "xls": "This one is an old Excel workbook: in Excel choose Save as, then “CSV UTF-8”.",
    "doc": "This one is an old Office file, or has a password: save it as DOCX without one.",
    "pdf": "This one is a PDF.",
    "png": "This one is a picture.",
    "jpg": "This one is a picture.",
    "gif": "This one is a picture.",
    "zip": "This one is a zip archive: unpack it first.",
    "svg": "This one is an SVG picture, which can hold code.",
    "html": "This one is a web page.",
}


def _kinds(upload: File) -> list[str]:
    try:
        return _identified(_head(upload))
    except (OSError, ValueError):
        return []


def _told(kinds: list[str]) -> str:
    """A sentence on what a refused file seems to be, or nothing."""
    return next((_TOLD[kind] for kind in kinds if kind in _TOLD), "")
