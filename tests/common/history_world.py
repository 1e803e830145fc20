"""A migration in a database that verifies clean, and ways to bend its history."""

from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from practices.common.models import Event, StoredFile
from practices.common.services import SITE_STREAM, record_event
from practices.common.verification import Chains, Finding, snapshot, verify
from practices.common.verification.rows import changed_files, changed_texts
from practices.plans.services import load_plan, set_fields
from practices.plans.verification import changed_drafts, changed_edits
from practices.plans.yaml import read_plan
from practices.tracking import services
from practices.tracking.verification import unlike_reports, wrong_signatures
from tests.factories import MONDAY, make_invitation
from tests.plans.small import SMALL
from tests.tracking.cast import Cast, make_cast


def make_world() -> Cast:
    """A cast whose making is one recorded act, so that nothing of it lacks its event."""
    with transaction.atomic():
        cast = make_cast()
        people = ("manager", "staff", "clinician", "trainer", "commissioner", "stranger")
        for name in people:
            getattr(cast, name)
        record_event(stream=SITE_STREAM, kind="test.world_made", by=None, at=MONDAY)
    return cast


def fill(world: Any) -> None:
    """Somebody to call, somebody invited, a text, a file and an edited draft of a plan."""
    services.add_contact(
        migration=world.migration,
        details=services.ContactDetails(
            role="target_supplier", name="Tess Target", telephone="01632 960201"
        ),
        by=world.manager,
        at=MONDAY,
    )
    make_invitation(world.migration.practice, by=world.manager)
    services.block_task(task=world.task("GL-02"), reason="No answer", by=world.manager, at=MONDAY)
    add_file(world, b"We agree")
    draft = load_plan(tree=read_plan(SMALL, file="x"), by=world.manager, at=MONDAY).version
    for title in ("Check it all", "Check everything"):
        set_fields(
            version=draft,
            kind="task",
            key="CUT-02",
            values={"title": title},
            seen=draft.revision + 9,
            by=world.manager,
            at=MONDAY,
        )


def add_file(world: Any, content: bytes) -> StoredFile:
    upload = SimpleUploadedFile("minutes.txt", content, content_type="text/plain")
    services.add_evidence(task=world.task("GL-02"), upload=upload, by=world.manager, at=MONDAY)
    return StoredFile.objects.latest("pk")


def findings() -> list[Finding]:
    """Everything that is not as it was written."""

    def every() -> Iterator[Finding]:
        yield from verify(Chains())
        yield from wrong_signatures()
        yield from changed_texts()
        yield from changed_files()
        yield from unlike_reports()
        yield from changed_drafts()
        yield from changed_edits()

    with snapshot():
        return list(every())


def said(table: str, row: object) -> list[str]:
    """What is found of one row."""
    return [found.problem for found in findings() if (found.table, found.row) == (table, row)]


def forged(stream: str, **fields: Any) -> dict[str, Any]:
    """An event as somebody would write it who knows everything but the key."""
    last = Event.objects.of(stream).order_by("seq").last()
    return {
        "stream": stream,
        "seq": last.seq + 1 if last else 1,
        "kind": "task.done",
        "at": MONDAY,
        "subject": "task:GL-02",
        "data": "{}",
        "prev_hash": last.hash if last else "0" * 64,
        "hash": "0" * 64,
    } | fields
