"""Whether the chains of events are whole, and whether events and rows belong together."""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, models

from practices.common.models import Event, StoredFile, Text
from practices.common.privileges import append_only_models, history_models
from practices.common.services import FIRST_HASH, event_hash

from .findings import BATCH, Finding, Progress, is_id, nobody, restricted
from .unpaired import UNPAIRED

EVENTS = Event._meta.db_table
# What an event refers to by id and digest.
REFERRED: dict[str, type[Text | StoredFile]] = {"text": Text, "file": StoredFile}


@dataclass
class Root:
    """The newest event of a stream, which vouches for all before it."""

    stream: str
    events: int
    seq: int
    hash: str


class Chains:
    """Goes through events in the order of their chains; ``roots`` are those it came to."""

    def __init__(
        self, within: models.QuerySet[Event] | None = None, progress: Progress = nobody
    ) -> None:
        self.roots: list[Root] = []
        self._events = Event.objects.all() if within is None else within
        self._progress = progress

    def broken(self) -> Iterator[Finding]:
        """Events that are not sealed with the key, out of their place, or missing before one.

        Also events that speak of a text or a file with another digest than its own.
        """
        events = self._events.order_by("stream", "seq").iterator(chunk_size=BATCH)
        done = 0
        while batch := list(islice(events, BATCH)):
            for event in batch:
                yield from self._follow(event)
            yield from _wrong_references(batch)
            done += len(batch)
            self._progress(EVENTS, done)

    def _follow(self, event: Event) -> Iterator[Finding]:
        root = self.roots[-1] if self.roots else None
        if root is None or root.stream != event.stream:
            root = self._before(event)
            self.roots.append(root)
        if event.seq != root.seq + 1:
            yield _said(event, f"number {root.seq + 1} should stand here: events are missing")
        if event.prev_hash != root.hash:
            yield _said(event, "it does not follow the event before it")
        if not hmac.compare_digest(event.hash, event_hash(event)):
            yield _said(event, "it is not sealed with the history key: altered or forged")
        root.events += 1
        root.seq, root.hash = event.seq, event.hash

    def _before(self, event: Event) -> Root:
        """Where the chain stands before the first event that is looked at."""
        last = None
        if event.seq > 1:
            last = Event.objects.of(event.stream).filter(seq__lt=event.seq).order_by("seq").last()
        return Root(event.stream, 0, last.seq if last else 0, last.hash if last else FIRST_HASH)


def _said(event: Event, problem: str) -> Finding:
    return Finding(EVENTS, event.pk, f"{event} of {event.at:%Y-%m-%d %H:%M} UTC: {problem}")


def references(value: Any, what: str) -> Iterator[dict[str, Any]]:
    """Every reference to a ``text`` or a ``file`` within plain JSON, however deep."""
    if isinstance(value, dict):
        if {what, "sha256"} <= value.keys():
            yield value
        for part in value.values():
            yield from references(part, what)
    elif isinstance(value, list):
        for part in value:
            yield from references(part, what)


def _wrong_references(events: Iterable[Event]) -> Iterator[Finding]:
    events = list(events)
    for what, model in REFERRED.items():
        said = [(event, one) for event in events for one in references(event.data, what)]
        ids = {one[what] for _, one in said if is_id(one[what])}
        digests = dict(model._default_manager.filter(pk__in=ids).values_list("pk", "sha256"))
        for event, one in said:
            pk = one[what]
            if not is_id(pk) or pk not in digests:
                yield _said(event, f"{what} {pk}, which it speaks of, is gone")
            elif digests[pk] != one["sha256"]:
                yield Finding(
                    model._meta.db_table,
                    pk,
                    f"its digest is not the one that event {event.pk} holds",
                )


def without_event(
    model: type[models.Model],
    within: models.QuerySet[Any] | None = None,
    progress: Progress = nobody,
) -> Iterator[Finding]:
    """Rows of history and append-only rows that were written in no recorded act."""
    yield from _unmatched(
        model,
        f"NOT EXISTS (SELECT FROM {EVENTS} e WHERE e.xid = t.xid)",
        "no event records the act that wrote it",
        within=within,
        progress=progress,
    )


def without_rows(
    within: models.QuerySet[Event] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Events of acts that change rows, in whose transaction no row was changed."""
    tables = [m for m in (*append_only_models(), *history_models()) if m is not Event]
    rows = " UNION ALL ".join(f'SELECT xid FROM "{m._meta.db_table}"' for m in tables)  # noqa: S608
    yield from _unmatched(
        Event,
        f"t.kind <> ALL(%s) AND NOT EXISTS (SELECT FROM ({rows}) r WHERE r.xid = t.xid)",
        "nothing was changed in the act it records",
        list(UNPAIRED),
        within=within,
        progress=progress,
    )


def _unmatched(
    model: type[models.Model],
    condition: str,
    problem: str,
    *values: Any,
    within: models.QuerySet[Any] | None,
    progress: Progress,
) -> Iterator[Finding]:
    """One comparison of whole tables, of which only what has no match is fetched, piecemeal."""
    table, key = model._meta.db_table, model._meta.pk.column
    restriction, restricted_to = restricted(model, within)
    with connection.cursor() as cursor:
        # Statistics may still tell of empty tables, and row by row this would never end.
        cursor.execute("SET LOCAL enable_nestloop = off")
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f'SELECT t."{key}" FROM "{table}" t WHERE {restriction} AND {condition}',  # noqa: S608
            [*restricted_to, *values],
        )
        while rows := cursor.fetchmany(BATCH):
            for (row,) in rows:
                yield Finding(table, row, problem)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")
    progress(f"{table}, acts", 0)
