"""manage.py import_practices FILE"""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from practices.common import clock
from practices.common.csv_out import SafeCSV
from practices.common.errors import Refused
from practices.directory.practice_file import check_practice_file
from practices.directory.services import ImportReport, import_practices

BAR = 40  # characters


class Command(BaseCommand):
    help = (
        "Import practices from the ODS file epraccur, or from a CSV whose first line names its "
        "columns (at least ods_code and name). Safe to run again: only what differs is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--all-settings",
            action="store_true",
            help="also what is not a GP practice (any prescribing setting)",
        )
        parser.add_argument(
            "--rejected", type=Path, metavar="CSV", help="write the rejected lines to this file"
        )

    def handle(self, *, file: Path, all_settings: bool, rejected: Path | None, **_: Any) -> None:
        started = time.monotonic()
        try:
            with ExitStack() as stack:
                source = check_practice_file(stack.enter_context(file.open("rb")))
                kept = (rejected or Path(os.devnull)).open("w", encoding="utf-8", newline="")
                out = SafeCSV(stack.enter_context(kept))
                out.row("line", "reason", *source.layout.header)
                report = import_practices(
                    source=source,
                    by=None,
                    at=clock.now(),
                    all_settings=all_settings,
                    progress=self._progress,
                    reject=lambda line, cells, reason: out.row(line, reason, *cells),
                )
        except OSError as fault:
            raise CommandError(f"{fault.filename}: {fault.strerror}.") from fault
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self._print(report, rejected, time.monotonic() - started)

    def _progress(self, done: int, total: int) -> None:
        filled = BAR * done // total
        line = f"[{'#' * filled}{'.' * (BAR - filled)}] {done:,} of {total:,} lines"
        if self.stdout.isatty():
            self.stdout.write(f"\r{line}", ending="" if done < total else "\n")
        elif done == total or done * 4 // total != max(0, done - 1000) * 4 // total:
            self.stdout.write(line)

    def _print(self, report: ImportReport, rejected: Path | None, seconds: float) -> None:
        write = self.stdout.write
        write(f"Read as {report.how}, in {seconds:.1f} seconds.")
        if not report.created and not report.updated:
            write("Nothing was changed.")
        write(
            f"{report.created:,} created, {report.updated:,} updated, "
            f"{report.unchanged:,} unchanged, {report.rejected:,} rejected."
        )
        write(f"{report.closed:,} of these practices are closed or dormant.")
        if report.skipped:
            write(f"{report.skipped:,} lines were left out: they are not GP practices.")
        if report.unused_columns:
            write(f"Columns not used: {', '.join(report.unused_columns)}.")
        if report.new_commissioners:
            write(f"Commissioners not known before: {', '.join(report.new_commissioners)}.")
        if report.commissioner_closed:
            write(
                f"{report.commissioner_closed:,} open practices are with a commissioner that has "
                "closed. A newer list will move them."
            )
        if report.unusual:
            codes = ", ".join(f"{code} (line {line:,})" for line, code in report.unusual_codes)
            write(f"{report.unusual:,} codes are not a letter and five digits: {codes}")
        for line, code, reason in report.rejections:
            write(f"Line {line:,} ({code}): {reason}")
        if report.rejected > len(report.rejections) and not rejected:
            write("Use --rejected FILE to have all rejected lines in a CSV file.")
