"""Proving the stored counters right, and correcting them where they are not."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q

from practices.accounts.models import User
from practices.tracking.models import COUNTERS, Migration, Phase

from ._base import note_event

Counts = tuple[int, ...]


@dataclass(frozen=True)
class WrongCounter:
    """Stored and counted figures that differ, in the order of ``COUNTERS``.

    ``phase`` is the key of the phase, empty for the migration as a whole.
    """

    migration_id: int
    reference: str
    phase: str
    stored: Counts
    counted: Counts

    def __str__(self) -> str:
        where = f"{self.reference}, {f'phase {self.phase}' if self.phase else 'as a whole'}"
        differences = [
            f"{name.removesuffix('_count').replace('_', ' ')} {stored}, counted {counted}"
            for name, stored, counted in zip(COUNTERS, self.stored, self.counted, strict=True)
            if stored != counted
        ]
        return f"{where}: {'; '.join(differences)}"


def wrong_counters(migration: Migration | None = None) -> list[WrongCounter]:
    """Every stored counter that the tasks themselves do not bear out; of one migration, or all."""
    counted = {
        name: Count("tasks", filter=Q(tasks__state=name.removesuffix("_count")))
        for name in COUNTERS
    }
    stored = [f"stored_{name}" for name in COUNTERS]
    keep = {f"stored_{name}": F(name) for name in COUNTERS}
    renamed = {f"counted_{name}": count for name, count in counted.items()}
    fields = [*stored, *renamed]
    migrations = Migration.objects.all()
    phases = Phase.objects.all()
    if migration is not None:
        migrations = migrations.filter(pk=migration.pk)
        phases = phases.filter(migration=migration)
    found = []
    for owners, names in (
        (migrations.order_by("pk"), ("pk", "reference")),
        (phases.order_by("migration", "position"), ("migration", "migration__reference", "key")),
    ):
        for row in owners.annotate(**keep, **renamed).values_list(*names, *fields):
            pk, reference, *key = row[: len(names)]
            figures = row[len(names) :]
            was, now = figures[: len(COUNTERS)], figures[len(COUNTERS) :]
            if was != now:
                found.append(WrongCounter(pk, reference, "".join(key), was, now))
    return found


@transaction.atomic
def correct_counters(*, migration: Migration, by: User | None, at: datetime) -> list[WrongCounter]:
    """Set a migration's counters to what its tasks say; also of one that has ended."""
    migration = Migration.objects.select_for_update(of=("self",)).get(pk=migration.pk)
    wrong = wrong_counters(migration)
    for counter in wrong:
        figures = dict(zip(COUNTERS, counter.counted, strict=True))
        if counter.phase:
            Phase.objects.filter(migration=migration, key=counter.phase).update(**figures)
        else:
            Migration.objects.filter(pk=migration.pk).update(**figures)
    if wrong:
        note_event(
            migration,
            "counters.corrected",
            by=by,
            at=at,
            corrected={
                counter.phase or "migration": [list(counter.stored), list(counter.counted)]
                for counter in wrong
            },
        )
    return wrong
