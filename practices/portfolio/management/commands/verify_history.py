"""Proves that history is what was written, or says what is not."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from practices.common.models import Event, StoredFile, Text
from practices.common.verification import (
    Chains,
    Finding,
    Part,
    changed_files,
    changed_texts,
    everything,
    snapshot,
    verify,
)
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.verification import changed_drafts, changed_edits
from practices.tracking.models import Migration, SignOff
from practices.tracking.verification import of_migration, unlike_reports, wrong_signatures


class Command(BaseCommand):
    help = (
        "Goes through events, signatures, row history, texts and files, and finds what was "
        "altered, forged or removed. Exits with 1 and a line for each finding. Only reads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migration", metavar="REF", help="of one migration only: A81001-1")

    def handle(self, *, migration: str | None, **_: Any) -> None:
        began = time.monotonic()
        findings = 0
        with snapshot():
            of = self._part(migration)
            chains = Chains(of(Event), self._progress)
            for finding in self._findings(chains, of):
                findings += 1
                self._clear()
                self.stdout.write(str(finding))
        self._clear()
        for root in chains.roots:
            self.stdout.write(f"{root.stream}: {root.events:,} events, root {root.hash}")
        events = sum(root.events for root in chains.roots)
        seconds = time.monotonic() - began
        self.stdout.write(f"{events:,} events in {len(chains.roots):,} chains, {seconds:.1f} s.")
        if findings:
            raise CommandError(f"{findings:,} findings: history is not what was written.")
        self.stdout.write("Everything is as it was written.")

    def _part(self, reference: str | None) -> Part:
        if reference is None:
            return everything
        migration = Migration.objects.filter(reference=reference).first()
        if migration is None:
            raise CommandError(f"There is no migration {reference}.")
        return partial(of_migration, migration=migration)

    def _findings(self, chains: Chains, of: Part) -> Iterator[Finding]:
        yield from verify(chains, of, self._progress)
        yield from wrong_signatures(of(SignOff), self._progress)
        yield from changed_texts(of(Text), self._progress)
        yield from unlike_reports(of, self._progress)
        yield from changed_files(of(StoredFile), self._progress)
        yield from changed_drafts(of(PlanVersion), self._progress)
        yield from changed_edits(of(PlanEdit), self._progress)

    def _progress(self, what: str, done: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r\x1b[K{what}: {done:,}", ending="")
            self.stdout.flush()

    def _clear(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("\r\x1b[K", ending="")
