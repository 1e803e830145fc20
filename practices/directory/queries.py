"""Reads that the directory's pages, and pages of upper rooms, are made of."""

from datetime import date

from practices.common.models import Job

from .models import Practice, PracticeQuerySet
from .services import ImportReport

MOST_FOUND = 20


def find_practices(words: str, *, today: date) -> tuple[list[Practice], bool]:
    """Open practices to choose from, at most twenty, and whether there are more.

    An exact ODS code comes first. No words find nothing.
    """
    if not words.strip():
        return [], False
    found = list(search_practices(words, today=today)[: MOST_FOUND + 1])
    found.sort(key=lambda practice: practice.organisation.code != words.strip().upper())
    return found[:MOST_FOUND], len(found) > MOST_FOUND


def search_practices(words: str, *, today: date, closed: bool = False) -> PracticeQuerySet:
    """Practices by words, in order of name; with ``closed`` also those not open today."""
    found = Practice.objects.search(words).for_lists()
    return found if closed else found.open_on(today)


def report_of(job: Job) -> ImportReport | None:
    """What an import said when it ended; None where the row holds no such report."""
    try:
        report = ImportReport(**job.result)
        whole = all(len(row) == 3 for row in report.rejections) and all(
            len(row) == 2 for row in report.unusual_codes
        )
    except TypeError:
        return None
    return report if whole else None
