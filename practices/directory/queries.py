"""Reads that the directory's pages, and pages of upper rooms, are made of."""

from datetime import date

from .models import Practice, PracticeQuerySet

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
