"""Notes and evidence: what people add to a task, of one supplier where one wrote it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files import File
from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Refused
from practices.common.files import EVIDENCE, store_file
from practices.common.models import sha256
from practices.common.services import clean_text, write_text
from practices.tracking.models import Evidence, Task, TaskNote

from ._base import lock_task, note_event, says


@transaction.atomic
def add_note(*, task: Task, body: str, by: User, at: datetime, is_lesson: bool = False) -> TaskNote:
    """Add a remark to a task, for its migration or as a lesson for other practices too.

    The same remark sent twice in a row is one.
    """
    if not clean_text(body):
        raise Refused("Enter a note.")
    migration, task = lock_task(task)
    last = task.notes.select_related("text").last()
    again = last and last.by_id == by.pk and last.is_lesson == is_lesson
    if last and again and says(last.text, body):
        return last
    text = write_text(body=body, by=by, at=at)
    side = migration.side_of(by)
    note = TaskNote.objects.create(
        task=task, text=text, by=by, at=at, written_as=side, is_lesson=is_lesson
    )
    note_event(
        migration,
        "task.noted",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        note=text,
        written_as=side or None,
        is_lesson=is_lesson or None,
    )
    return note


@transaction.atomic
def add_evidence(
    *,
    task: Task,
    by: User,
    at: datetime,
    link: str = "",
    upload: File | None = None,
) -> Evidence:
    """Keep a link or a file that shows a task was done. A link that is there stays one.

    What a supplier adds is its own: the other one is not told that the link is there.

    Raises :class:`Refused` when there is neither, when the link is no web address, or
    with the reason when the file's type or size is not allowed.
    """
    migration, task = lock_task(task)
    side = migration.side_of(by)
    if upload is not None:
        stored = store_file(
            upload=upload, by=by, at=at, allowed=EVIDENCE, megabytes=settings.EVIDENCE_MAX_MB
        )
        evidence = Evidence(task=task, file=stored, by=by, at=at, written_as=side)
        what: dict[str, Any] = {"file": stored.pk, "sha256": stored.sha256}
    else:
        if not link.startswith(("https://", "http://")):
            raise Refused("Enter a web address that starts with https:// or choose a file.")
        if "@" in urlsplit(link).netloc:
            raise Refused("Enter the web address without a user name or password in it.")
        there = task.evidence.filter(removed_at=None, written_as=side, link__redacted_at=None)
        same = there.filter(link__sha256=sha256(clean_text(link))).first()
        if same:
            return same
        text = write_text(body=link, by=by, at=at)
        evidence = Evidence(task=task, link=text, by=by, at=at, written_as=side)
        what = {"link": text}
    evidence.save()
    note_event(
        migration,
        "task.evidence_added",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        written_as=side or None,
        **what,
    )
    return evidence


@transaction.atomic
def remove_evidence(*, evidence: Evidence, by: User, at: datetime) -> None:
    """Take evidence off a task; the row and file stay for the record."""
    migration, task = lock_task(evidence.task)
    evidence = Evidence.objects.get(pk=evidence.pk)  # as it is under the lock
    if evidence.removed_at:
        return
    evidence.removed_at = at
    evidence.save(update_fields=["removed_at"])
    note_event(
        migration,
        "task.evidence_removed",
        by=by,
        at=at,
        subject=f"task:{task.code}",
        evidence=evidence.pk,
        written_as=evidence.written_as or None,
    )
