"""The import of a practice list.

One transaction for the whole file: an import that is cut off has changed
nothing, its event and its rows agree, and nobody sees half a list. A line that is
wrong is set aside and does not stop the others. Rows that a line does not change
are not written, so a second run of the same file leaves no trace but its event.
"""

import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.db import connection, models, transaction

from practices.common.csv_out import SafeCSV
from practices.common.errors import Refused
from practices.common.files import MEDIA_TYPES, TABLE, keep_file, store_file
from practices.common.jobs import Progress, start_job
from practices.common.models import Job
from practices.common.patient_data import holds_nhs_number
from practices.common.services import SITE_STREAM, record_event
from practices.common.time import london_date
from practices.directory.models import CommissionerLink, Organisation, Practice
from practices.directory.practice_file import PracticeFile, check_practice_file
from practices.directory.rules import (
    GP_PRACTICE,
    BadLine,
    PracticeRecord,
    Span,
    follow_commissioner,
    prescribing_setting,
    read_practice,
)

from ._lock import lock_directory

IMPORT = "import_practices"  # the kind of job
BATCH = 1000  # lines
MOST_SHOWN = 50  # rejections and unusual codes that the report repeats

Reject = Callable[[int, list[str], str], None]


def _nobody(*_: object) -> None:
    """Nobody listens to the progress or wants the rejected lines."""


def _storable(text: str) -> str:
    """A text with a sign for each character that PostgreSQL does not keep in JSON."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


@dataclass
class ImportReport:
    """What an import did, in numbers of lines; ``asdict`` of it is the job's result."""

    how: str
    unused_columns: list[str]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    closed: int = 0
    commissioner_closed: int = 0
    new_commissioners: list[str] = field(default_factory=list)
    unusual: int = 0
    unusual_codes: list[tuple[int, str]] = field(default_factory=list)
    rejections: list[tuple[int, str, str]] = field(default_factory=list)


@transaction.atomic
def import_practices(
    *,
    source: PracticeFile,
    by: AbstractBaseUser | None,
    at: datetime,
    all_settings: bool = False,
    progress: Progress = _nobody,
    reject: Reject = _nobody,
) -> ImportReport:
    """Bring the directory up to a practice list, as :func:`check_practice_file` read it.

    Only GP practices (prescribing setting 4) unless ``all_settings``. ``progress`` is
    told of lines done and in all, ``reject`` of every line that is set aside, with its
    number, cells and reason. Raises :class:`Refused` while another import runs.
    """
    lock_directory()
    _expect_many_rows()
    run = _Import(source, london_date(at), all_settings, reject)
    lines = source.lines()
    done = 0
    while batch := list(islice(lines, BATCH)):
        run.take(batch)
        done += len(batch)
        progress(done, source.total)
    report = run.report
    report.commissioner_closed = (
        Practice.objects.open_on(run.today).commissioner_closed_by(run.today).count()
    )
    counts = ("created", "updated", "unchanged", "rejected", "skipped")
    record_event(
        stream=SITE_STREAM,
        kind="practices.imported",
        by=by,
        at=at,
        data={name: getattr(report, name) for name in counts} | {"all_settings": all_settings},
    )
    return report


def _expect_many_rows() -> None:
    """Plan this transaction's queries for thousands of rows, whatever the statistics say.

    They may still tell of empty tables (an import that failed leaves them so), and a
    join that expects one row then goes through all of them once for every row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")


@transaction.atomic
def ask_for_import(*, upload: File, all_settings: bool, by: AbstractBaseUser, at: datetime) -> Job:
    """Keep a practice list that somebody hands in and have a worker import it.

    Raises :class:`Refused` when the file is wrong as a whole.
    """
    if holds_nhs_number(upload.name or ""):
        raise Refused(
            "The name of the file has a number in it that could be an NHS number. Nothing of the "
            "file was kept. Rename it and use it again."
        )
    check_practice_file(upload)
    stored = store_file(
        upload=upload, by=by, at=at, allowed=TABLE, megabytes=settings.IMPORT_MAX_MB
    )
    record_event(
        stream=SITE_STREAM,
        kind="practices.import_asked",
        by=by,
        at=at,
        data={"file": stored.pk, "sha256": stored.sha256, "all_settings": all_settings},
    )
    return start_job(
        kind=IMPORT, arguments={"all_settings": all_settings}, file=stored, by=by, at=at
    )


def run_import(*, job: Job, at: datetime, progress: Progress) -> dict[str, Any]:
    """The import as a job.

    Its output is the rejected lines as a CSV with a header row: mended, it can be
    imported itself.
    """
    if job.file is None or job.asked_by is None:
        raise ValueError("An import job has a file and somebody who asked for it.")
    with (
        job.file.content.open("rb") as upload,
        tempfile.TemporaryFile("w+b") as rejected,
        io.TextIOWrapper(rejected, encoding="utf-8", newline="", write_through=True) as text,
    ):
        source = check_practice_file(upload)
        out = SafeCSV(text)
        out.row("line", "reason", *source.layout.header)
        report = import_practices(
            source=source,
            by=job.asked_by,
            at=at,
            all_settings=job.arguments.get("all_settings", False),
            progress=progress,
            reject=lambda line, cells, reason: out.row(line, reason, *cells),
        )
        if report.rejected:
            job.output = keep_file(
                content=File(rejected, name="rejected-lines.csv"),
                name="rejected-lines.csv",
                media_type=MEDIA_TYPES["csv"],
                by=job.asked_by,
                at=at,
            )
    return asdict(report)


class _Batch:
    """Rows to write once a batch of lines has been gone through."""

    def __init__(self) -> None:
        self.new: list[tuple[Organisation, Practice]] = []
        self.new_links: list[CommissionerLink] = []
        self.changed: dict[type[models.Model], dict[Any, models.Model]] = {}
        self.fields: dict[type[models.Model], set[str]] = {}

    def change(self, row: models.Model, said: dict[str, Any]) -> bool:
        """Set what differs on a row and remember to write it; says whether anything did."""
        differing = {name: value for name, value in said.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        if differing:
            self.changed.setdefault(type(row), {})[row.pk] = row
            self.fields.setdefault(type(row), set()).update(differing)
        return bool(differing)

    def write(self) -> None:
        Organisation.objects.bulk_create([organisation for organisation, _ in self.new])
        Practice.objects.bulk_create([practice for _, practice in self.new])
        # Before the new links: a practice has one open link at a time.
        for model, rows in self.changed.items():
            model._default_manager.bulk_update(
                rows.values(), sorted(self.fields[model]), batch_size=500
            )
        CommissionerLink.objects.bulk_create(self.new_links)


class _Import:
    def __init__(
        self, source: PracticeFile, today: date, all_settings: bool, reject: Reject
    ) -> None:
        self.today = today
        self.report = ImportReport(source.described, [*map(_storable, source.layout.unused)])
        self._layout = source.layout
        self._all_settings = all_settings
        self._reject = reject
        self._seen: dict[str, int] = {}
        self._aside: list[tuple[int, list[str], str]] = []
        self._commissioners: dict[str, Organisation] = {}

    def take(self, batch: list[tuple[int, list[str]]]) -> None:
        """Read a batch of lines, compare it with what is there, write what differs."""
        records = []
        for line, cells in batch:
            try:
                if record := self._read(line, cells):
                    records.append((line, cells, record))
            except BadLine as fault:
                self._set_aside(line, cells, str(fault))
        known = self._known([record.code for _, _, record in records])
        links = self._latest_links(known)
        self._find_commissioners({record.commissioner for _, _, record in records} - {""})
        rows = _Batch()
        for line, cells, record in records:
            try:
                self._compare(rows, record, known.get(record.code), links.get(record.code))
            except BadLine as fault:
                self._set_aside(line, cells, str(fault))
            else:
                self._note(line, record)
        rows.write()
        self._report_aside()

    def _set_aside(self, line: int, cells: list[str], reason: str) -> None:
        self._aside.append((line, cells, _storable(reason)))

    def _report_aside(self) -> None:
        for line, cells, reason in sorted(self._aside, key=itemgetter(0)):
            self.report.rejected += 1
            if len(self.report.rejections) < MOST_SHOWN:
                self.report.rejections.append((line, _storable(cells[0][:40]), reason))
            self._reject(line, cells, reason)
        self._aside.clear()

    def _read(self, line: int, cells: list[str]) -> PracticeRecord | None:
        expected = len(self._layout.header)
        while len(cells) > expected and not cells[-1].strip():
            cells.pop()
        if len(cells) != expected:
            raise BadLine(f"it has {len(cells)} cells and should have {expected}")
        named = {name: cells[place] for name, place in self._layout.positions.items()}
        if not self._all_settings and prescribing_setting(named) != GP_PRACTICE:
            self.report.skipped += 1
            return None
        record = read_practice(named, empty_means_none=self._layout.epraccur)
        first = self._seen.setdefault(record.code, line)
        if first != line:
            raise BadLine(f"{record.code} stands on line {first:,} already")
        return record

    def _known(self, codes: list[str]) -> dict[str, Organisation]:
        found = (
            Organisation.objects.select_for_update(of=("self",))
            .select_related("practice")
            .filter(code__in=codes)
            .order_by("code")
        )
        return {organisation.code: organisation for organisation in found}

    def _latest_links(self, known: dict[str, Organisation]) -> dict[str, CommissionerLink]:
        links = (
            CommissionerLink.objects.select_related("commissioner")
            .filter(practice__in=[organisation.pk for organisation in known.values()])
            .order_by(models.F("valid_to").asc(nulls_last=True), "valid_from", "pk")
        )
        codes = {organisation.pk: code for code, organisation in known.items()}
        return {codes[link.practice_id]: link for link in links}

    def _find_commissioners(self, codes: set[str]) -> None:
        missing = codes - self._commissioners.keys()
        for organisation in Organisation.objects.filter(code__in=missing):
            self._commissioners[organisation.code] = organisation
        for code in sorted(missing - self._commissioners.keys()):
            # Nameless until somebody names it: what the list says is only its code.
            self._commissioners[code] = Organisation.objects.create(
                kind=Organisation.Kind.COMMISSIONER, code=code, name=code
            )
            self.report.new_commissioners.append(code)

    def _compare(
        self,
        rows: _Batch,
        record: PracticeRecord,
        organisation: Organisation | None,
        link: CommissionerLink | None,
    ) -> None:
        commissioner = self._commissioner(record)
        if organisation is None:
            self._create(rows, record, commissioner)
            return
        if organisation.kind != Organisation.Kind.PRACTICE:
            raise BadLine(f"{record.code} is the code of a {organisation.get_kind_display()} here")
        said = record.organisation
        opens = said.get("valid_from", organisation.valid_from)
        closes = said.get("valid_to", organisation.valid_to)
        if opens and closes and closes < opens:
            raise BadLine(f"it closes on {closes} but opened on {opens}")
        changed = rows.change(organisation, said)
        changed |= rows.change(organisation.practice, record.practice)
        if commissioner is None and link and record.ends_said:
            commissioner = link.commissioner
        if commissioner:
            changed |= self._relink(rows, organisation.practice, record, commissioner, link)
        if changed:
            self.report.updated += 1
        else:
            self.report.unchanged += 1

    def _commissioner(self, record: PracticeRecord) -> Organisation | None:
        commissioner = self._commissioners.get(record.commissioner)
        if commissioner and commissioner.kind != Organisation.Kind.COMMISSIONER:
            kind = commissioner.get_kind_display()
            raise BadLine(f"{commissioner.code} is the code of a {kind} and not of a commissioner")
        return commissioner

    def _create(
        self, rows: _Batch, record: PracticeRecord, commissioner: Organisation | None
    ) -> None:
        organisation = Organisation(
            kind=Organisation.Kind.PRACTICE, code=record.code, **record.organisation
        )
        practice = Practice(organisation=organisation, **record.practice)
        rows.new.append((organisation, practice))
        if commissioner:
            self._relink(rows, practice, record, commissioner, None)
        self.report.created += 1

    def _relink(
        self,
        rows: _Batch,
        practice: Practice,
        record: PracticeRecord,
        commissioner: Organisation,
        link: CommissionerLink | None,
    ) -> bool:
        latest, new = follow_commissioner(
            Span(link.commissioner_id, link.valid_from, link.valid_to) if link else None,
            commissioner.pk,
            record,
            founded=commissioner.valid_from,
            today=self.today,
        )
        changed = False
        if link and latest:
            changed = rows.change(
                link,
                {
                    "commissioner_id": latest.commissioner,
                    "valid_from": latest.valid_from,
                    "valid_to": latest.valid_to,
                },
            )
        if new:
            rows.new_links.append(
                CommissionerLink(
                    practice=practice,
                    commissioner_id=new.commissioner,
                    valid_from=new.valid_from,
                    valid_to=new.valid_to,
                )
            )
        return changed or new is not None

    def _note(self, line: int, record: PracticeRecord) -> None:
        """What the report says of a line that was taken in."""
        closes = record.organisation.get("valid_to")
        if record.practice.get("dormant") or (closes and closes <= self.today):
            self.report.closed += 1
        if record.unusual_code:
            self.report.unusual += 1
            if len(self.report.unusual_codes) < MOST_SHOWN:
                self.report.unusual_codes.append((line, record.code))
